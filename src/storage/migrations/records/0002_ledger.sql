-- The embedded ledger (src/trail/ledger/embedded/): hash-linked signed blocks of one transaction each, and the state
-- that follows from them. Rows of block and transaction are never changed; state and history can be rebuilt from them.
create schema ledger;

create table ledger.block (
  number bigint primary key check (number >= 0),
  -- Canonical JSON (RFC 8785), in the exact bytes that were hashed and signed.
  header bytea not null,
  hash bytea not null unique check (octet_length(hash) = 32),
  signature bytea not null,
  -- What the header's data hash covers: the transaction's envelope; in block 0 the ledger's configuration.
  data bytea not null
);
alter table ledger.block alter column data set storage external;

create table ledger.transaction (
  id bytea primary key check (octet_length(id) = 32),
  block bigint not null unique references ledger.block,
  -- Fabric's name of the validation code; only VALID changed the state.
  status text not null
);

-- Keys are the UTF-8 bytes of Fabric's composite keys, which hold U+0000, in byte order.
create table ledger.state (
  key bytea primary key,
  value bytea not null,
  -- The block that wrote it last: what a transaction that read it must still find at commit.
  version bigint not null references ledger.block,
  -- Key-level endorsement, a SignaturePolicyEnvelope; null: the ledger's own majority.
  policy bytea
);

-- Every value that a key ever had. Contracts never delete.
create table ledger.history (
  key bytea not null,
  block bigint not null references ledger.block,
  value bytea not null,
  primary key (key, block)
);

grant usage on schema ledger to medseal_writer;
grant select, insert on ledger.block, ledger.transaction, ledger.history to medseal_writer;
grant select, insert, update on ledger.state to medseal_writer;
