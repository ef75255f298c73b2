-- What the ledger is told of each consent (DESIGN §7): one row per version that grants, changes or withdraws, written
-- with the version and submitted behind it. Everything here is opaque: keyed digests, and the times of its period.
create table consent_entry (
  id bigint generated always as identity primary key,
  institution smallint not null,
  consent uuid not null,
  version integer not null,
  active boolean not null,
  -- Under which the ledger keeps it if this version is the first, or the first after an end; and then does.
  fresh_key text collate "C" not null,
  ledger_key text collate "C",
  -- The version's leaf: a salted commitment to its exact content.
  commitment bytea not null,
  grantees text[] not null,
  valid_from timestamptz not null,
  valid_until timestamptz,
  transaction_id text,
  transaction_bytes bytea,
  -- When it was settled, and in which block; without one there was nothing to tell the ledger.
  settled_at timestamptz,
  block bigint,
  -- Why the ledger refused it.
  held text,
  unique (consent, version)
);
create index consent_entry_open on consent_entry (id) where settled_at is null;
create index consent_entry_open_by_consent on consent_entry (consent, version) where settled_at is null;

grant select, insert, update on consent_entry to medseal_writer;
