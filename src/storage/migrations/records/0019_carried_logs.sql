-- A log that the embedded ledger anchored, and that goes on on another one (src/trail/carried.ts): its batches up to there,
-- which one batch over all of their leaves has taken the place of in `batch`. Never changed.
create table carried_batch (
  institution smallint not null references institution,
  log smallint not null check (log in (1, 2)),
  first bigint not null,
  size bigint not null check (size > first),
  root bytea not null,
  sealed_at timestamptz not null,
  manifest text not null,
  -- Of the anchor on the ledger before; null where a rebuild found the batch and nothing else.
  transaction_id text,
  block bigint,
  anchored_at timestamptz,
  primary key (institution, log, size)
);

-- The RFC 9162 tree over the embedded ledger's blocks, in tiles as those of log_tile; made when a log is carried over.
create table ledger.tile (
  level smallint not null check (level >= 0),
  number bigint not null check (number >= 0),
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (level, number)
);
alter table ledger.tile alter column hashes set storage external;

grant select, insert on carried_batch to medseal_writer;
grant delete on batch to medseal_writer;
grant select, insert, update on ledger.tile to medseal_writer;
