-- The authorization server: who may ask for tokens, the tokens and other short-lived things that it gave out, and the
-- assertions it has seen. Token values and ids lie here only as SHA-256 digests; what they say is sealed.

create table auth_client (
  id text collate "C" primary key,
  -- null: the operator's own, which administers the node and belongs to no institution.
  institution smallint references institution,
  -- A JWE of the whole registration: keys, scopes, purposes, whom the client acts for. It opens only in this row, so
  -- that someone who can write to this table alone cannot make themselves a client.
  sealed text not null,
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);

-- Tokens, and later codes, sessions and grants: what oidc-provider keeps through its adapter.
create table auth_artifact (
  model text collate "C" not null,
  digest bytea not null,
  client text collate "C",
  grant_digest bytea,
  uid_digest bytea,
  -- A JWE of the payload; it opens only in this row.
  sealed text not null,
  consumed_at timestamptz,
  expires_at timestamptz not null,
  primary key (model, digest)
);
create index auth_artifact_by_grant on auth_artifact (grant_digest) where grant_digest is not null;
create index auth_artifact_by_uid on auth_artifact (model, uid_digest) where uid_digest is not null;
create index auth_artifact_by_expiry on auth_artifact (expires_at);

-- The jti of every client assertion that was accepted, until it expires: the primary key is what refuses a replay.
create table auth_assertion (
  client text collate "C" not null,
  digest bytea not null,
  expires_at timestamptz not null,
  primary key (client, digest)
);
create index auth_assertion_by_expiry on auth_assertion (expires_at);

-- Every replica caches clients and tokens for seconds; whoever changes them, by whatever statement, tells all of them.
create function auth_client_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('auth_changed', 'client ' || old.id);
  return null;
end $$;
create trigger auth_client_changed after update or delete on auth_client
  for each row execute function auth_client_changed();

create function auth_token_revoked() returns trigger language plpgsql as $$
begin
  perform pg_notify('auth_changed', 'token ' || encode(old.digest, 'hex'));
  return null;
end $$;
-- Sweeping away what has expired tells nobody anything.
create trigger auth_token_revoked after delete on auth_artifact
  for each row when (old.model in ('AccessToken', 'ClientCredentials') and old.expires_at > now())
  execute function auth_token_revoked();

grant select, insert, update on auth_client to medseal_writer;
grant select, insert, update, delete on auth_artifact to medseal_writer;
grant select, insert, update, delete on auth_assertion to medseal_writer;
