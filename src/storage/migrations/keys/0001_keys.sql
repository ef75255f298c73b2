-- The key service: a database of its own, with its own backups of limited life. Every secret here is wrapped under the
-- master key, which lies in a file and never in any database.

-- Key-encryption keys. The subject is a patient's or an institution's pseudonym; a generation is never reused.
create table kek (
  subject uuid not null,
  generation integer not null check (generation > 0),
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (subject, generation)
);

-- Secrets of the node itself: index secrets, signing keys of the logs and of the embedded ledger, cookie keys.
create table secret (
  name text primary key,
  wrapped bytea not null,
  created_at timestamptz not null default now()
);

grant select, insert, update, delete on kek, secret to medseal_keys;
