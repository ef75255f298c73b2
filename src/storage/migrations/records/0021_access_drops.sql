-- How much of an institution's access trail was dropped after its retention (docs/adr/0023): the entries of all leaves
-- below `size`, as an entry of that log says itself. Leaves, tiles, batches and anchors stay.
create table access_drop (
  institution smallint primary key references institution,
  -- End of an anchored batch.
  size bigint not null check (size > 0),
  -- Of these the entries are gone; between here and `size` they still go.
  destroyed bigint not null default 0 check (destroyed <= size),
  -- Entries from before this instant were meant.
  before timestamptz not null,
  -- `access_entry.id_token` of the entry that says so.
  note uuid not null
);

grant select, insert, update on access_drop to medseal_writer;
grant delete on access_entry, access_segment to medseal_writer;
