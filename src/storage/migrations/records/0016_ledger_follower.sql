-- What was seen on a ledger that others write to as well (src/trail/follower.ts).

-- The first block that was not dealt with yet; one row, once there was a block.
create table ledger_checkpoint (
  one boolean primary key default true check (one),
  next_block bigint not null check (next_block >= 0)
);

-- The newest anchor of every log on the ledger, other institutions' included: it may only ever be followed.
create table ledger_head (
  institution text not null,
  log smallint not null check (log in (1, 2)),
  owner text not null,
  size bigint not null,
  root bytea not null check (octet_length(root) = 32),
  sequence bigint not null,
  transaction_id text not null,
  block bigint not null,
  primary key (institution, log)
);

-- An institution that another organisation of the ledger has bound to itself keeps its records at a node of its own. Here it
-- only has clients, who read what they are permitted to; it has no base and no logs.
alter table institution add column guest boolean not null default false;

grant select, insert, update on ledger_checkpoint to medseal_writer;
grant select, insert, update on ledger_head to medseal_writer;
