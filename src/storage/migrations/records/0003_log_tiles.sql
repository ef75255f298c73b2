-- The Merkle trees of the logs, in tiles of up to 256 hashes (src/trail/merkle/tiles.ts): a batch of k leaves touches
-- about k / 256 + log n rows, a proof reads at most two rows for every 256-fold of the log's size.
create table log_tile (
  institution smallint not null references institution,
  log smallint not null check (log in (1, 2)),
  -- Hashes of the tree's level 8 * level, from left to right.
  level smallint not null check (level >= 0),
  number bigint not null check (number >= 0),
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (institution, log, level, number)
);
-- Hashes do not compress, and reading a tile should not take a second lookup.
alter table log_tile alter column hashes set storage external;

grant select, insert, update on log_tile to medseal_writer;
