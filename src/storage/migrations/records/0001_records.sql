-- Records as sealed versions, the blind index, consent rules, and the two views through which alone they are read.
-- Nothing in here is clinical or identifying plaintext: ids, codes, names and dates appear only as keyed tokens.
-- The tables that every write touches carry no foreign keys: each would cost a look-up per row, and the one write
-- transaction (src/repository/write.ts) is the only writer.

create table institution (
  id smallint generated always as identity primary key,
  name text not null unique check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  -- Whether a literal reference to a resource of this institution must resolve on write.
  check_references boolean not null default false,
  created_at timestamptz not null default now()
);

-- Every server keeps the institutions in memory.
create function institution_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('institution', new.name);
  return null;
end $$;
create trigger institution_changed after insert or update on institution
  for each row execute function institution_changed();

-- Every version ever accepted, deletions included; rows are only ever inserted, and emptied by an erasure.
create table resource_version (
  id bigint generated always as identity primary key,
  institution smallint not null,
  type text collate "C" not null,
  -- HMAC of institution, type and logical id, 128 bits.
  id_token uuid not null,
  version integer not null check (version > 0),
  interaction text collate "C" not null check (interaction in ('create', 'update', 'delete')),
  at timestamptz not null,
  -- Pseudonyms of every patient this version belongs to; of a deletion: those of the last content.
  patients uuid[] not null,
  -- What consent rules can ask about a version, as tokens.
  facets bigint[] not null,
  -- The JWE of the resource's exact bytes, and the sha2-256 of its root block (the multihash of its CID); null for a
  -- deletion. JWEs are ASCII: as text they cross the connection without being turned into hexadecimal.
  sealed text collate "C",
  digest bytea,
  -- A JWE under the subjects' KEKs: content key, id, author, time, sort keys.
  envelope text collate "C" not null,
  leaf_hash bytea not null,
  unique (id_token, version)
);
-- JWEs do not compress, and reading one should not take a second lookup.
alter table resource_version alter column sealed set storage external, set (toast_tuple_target = 8160);
create index resource_version_by_type on resource_version (institution, type, id);

-- The newest version of each resource, with what search needs.
create table resource_current (
  -- The first 64 bits of the id token: how reference tokens of other rows name this one (docs/adr/0004).
  self bigint not null,
  id_token uuid not null,
  version_id bigint not null,
  institution smallint not null,
  type text collate "C" not null,
  version integer not null,
  at timestamptz not null,
  deleted boolean not null,
  -- Blind index; empty when deleted. Traits are what is seldom asked, and then only beside a token or by a scan.
  tokens bigint[] not null,
  traits bigint[] not null,
  -- Who may at most be permitted: custodian, the patients themselves, everyone a consent names. A superset by design,
  -- so that a withdrawal need not touch it; the views decide.
  readers bigint[] not null,
  -- Keyed digest of the content without its version, to recognise a repeated update.
  content_token uuid,
  primary key (self, id_token)
);
alter table resource_current alter column tokens set statistics 1000, set (toast_tuple_target = 8160);
-- fastupdate off: see docs/adr/0003; its pending list grows without bound under sustained load.
create index resource_current_tokens on resource_current using gin (tokens, readers) with (fastupdate = off);
-- The default order of a search, oldest change first, and _lastUpdated.
create index resource_current_by_time on resource_current (type, at, version_id);

-- The newest version of every Consent that is not deleted, whatever its status: what the second lock decides by.
create table consent_current (
  consent uuid primary key,
  patient uuid not null,
  version_id bigint not null
);
create index consent_current_by_patient on consent_current (patient);

-- One row per provision of an enforced consent, and one for its base effect (depth 0).
create table consent_rule (
  id bigint generated always as identity primary key,
  patient uuid not null,
  consent uuid not null,
  consent_version integer not null,
  -- '' for the base, '0' for the root provision, '0.1' for its second nested one.
  provision text collate "C" not null,
  depth smallint not null,
  permit boolean not null,
  -- -1 deny to a family member, 0 permit to a representative, 1 specific deny, 2 specific permit, 3 base deny, 4 base
  -- permit: the smallest across consents decides.
  rank smallint not null check (rank between -1 and 4),
  valid_from timestamptz not null,
  valid_until timestamptz not null,
  -- A deny that names purpose ETREAT: the only one that holds against break-glass.
  names_emergency boolean not null,
  -- Every row of this matrix must share a token with the version's and the principal's facets; 0 pads.
  conditions bigint[] not null,
  -- What a permit adds to the readers of its patient's records.
  readers bigint[] not null,
  -- A permit from before the patient's record was merged with another: it waits until it is given again.
  suspended boolean not null default false,
  -- The rule of another record of the same, merged patient (0020_merges.sql), that holds for this one too.
  mirrored boolean not null default false
);
create index consent_rule_by_patient on consent_rule (patient);
create index consent_rule_denies on consent_rule (patient) where rank in (-1, 1);
create index consent_rule_by_consent on consent_rule (consent);

-- What a Patient says of another one: that it replaces it or is replaced by it (Patient.link). Pseudonyms; the version row
-- that first said so, and the one that no longer did.
create table patient_link (
  patient uuid not null,
  other uuid not null,
  since bigint not null,
  until bigint,
  primary key (patient, other, since)
);
create index patient_link_by_other on patient_link (other);

-- Patients that links, one after the other, make the same: each with each and itself, and the version row of the newest
-- of these links. Made from patient_link, and kept because every page asks for it.
create table patient_merge (
  patient uuid not null,
  other uuid not null,
  since bigint not null,
  primary key (patient, other)
);

-- A repeated Idempotency-Key gets the sealed first answer.
create table idempotency (
  institution smallint not null references institution,
  key_token uuid not null,
  request_token uuid not null,
  response text collate "C" not null,
  at timestamptz not null,
  primary key (institution, key_token)
);
create index idempotency_by_time on idempotency (at);

-- Leaves of committed transactions that have no number yet.
create table leaf_pending (
  id bigint generated always as identity primary key,
  institution smallint not null,
  log smallint not null,
  hash bytea not null,
  version_id bigint,
  access_id bigint
);

-- Numbered leaves: log 1 is records, 2 is access.
create table leaf (
  institution smallint not null references institution,
  log smallint not null check (log in (1, 2)),
  number bigint not null,
  hash bytea not null,
  version_id bigint,
  access_id bigint,
  primary key (institution, log, number)
);
create index leaf_by_version on leaf (version_id) where version_id is not null;

-- A sealed run of leaves [first, size): what one anchor covers. A batch never changes but for its state.
create table batch (
  institution smallint not null references institution,
  log smallint not null,
  first bigint not null,
  size bigint not null check (size > first),
  root bytea not null,
  sealed_at timestamptz not null,
  manifest text,
  transaction_id text,
  transaction_bytes bytea,
  block bigint,
  anchored_at timestamptz,
  -- Why it stands still, when it does: quarantined content, a rejected anchor.
  held text,
  primary key (institution, log, size)
);
create index batch_open on batch (institution, log, size) where anchored_at is null;

-- The access trail: one row per request and institution concerned; what it says is sealed.
create table access_entry (
  id bigint generated always as identity primary key,
  institution smallint not null,
  id_token uuid not null unique,
  at timestamptz not null,
  patients uuid[] not null,
  sealed text collate "C" not null,
  leaf_hash bytea not null
);
create index access_entry_by_patient on access_entry using gin (patients) with (fastupdate = off);
create index access_entry_by_time on access_entry (institution, at);

-- Hourly keys of the access trail, sealed under the institution's KEK.
create table access_segment (
  institution smallint not null references institution,
  hour timestamptz not null,
  envelope text collate "C" not null,
  primary key (institution, hour)
);
