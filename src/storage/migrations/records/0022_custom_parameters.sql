-- Custom search parameters: which SearchParameter resources of an institution are in force, and the runs that index for
-- them what was there before (docs/search/custom-parameters.md). The definitions themselves are sealed, as all resources.

-- Counts the changes of an institution's set, so that whoever writes can tell by which set they have indexed.
create table search_parameter_set (
  institution smallint primary key,
  revision integer not null
);

-- One run over the records of some types, waiting until it is started. Any server takes the next page of it.
create table reindex_run (
  id bigint generated always as identity primary key,
  institution smallint not null,
  types text[] not null,
  requested_at timestamptz(3) not null default now(),
  started_at timestamptz(3),
  -- Whatever was written by a set of before the start is there once no transaction of before this one is under way.
  fence xid8,
  total bigint not null default 0,
  done bigint not null default 0,
  pages integer not null default 0,
  -- Records that could not be opened.
  unopened bigint not null default 0,
  -- The last record that was dealt with: in order of type, then of change.
  at_type text collate "C" not null default '',
  at_time timestamptz not null default '-infinity',
  at_version bigint not null default 0,
  finished_at timestamptz(3)
);
-- What is accepted while a run is still waiting joins it.
create unique index reindex_run_waiting on reindex_run (institution) where started_at is null;
-- The one with the fewest pages is next, so that a short run need not wait for a long one of another institution.
create index reindex_run_open on reindex_run (pages, id) where finished_at is null;
create index reindex_run_newest on reindex_run (institution, id);

-- The SearchParameters in force. It can be searched by one as soon as its run has finished.
create table custom_parameter (
  id_token uuid primary key,
  institution smallint not null,
  version integer not null,
  types text[] not null,
  -- Keyed digest of what decides what it finds: a version that finds the same needs no run.
  definition bigint not null,
  run bigint not null
);
create index custom_parameter_by_institution on custom_parameter (institution);

-- Written by a server that did not know of the newest set yet: indexed again soon.
alter table resource_current add column behind boolean not null default false;
create index resource_current_behind on resource_current (institution) where behind;

-- Every server keeps the sets in memory, and any of them takes up a run.
create function search_parameters_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('search_parameters', new.institution::text);
  return null;
end $$;
create trigger search_parameters_changed after insert or update on search_parameter_set
  for each row execute function search_parameters_changed();
create trigger reindex_requested after insert on reindex_run
  for each row execute function search_parameters_changed();
create trigger reindex_finished after update of finished_at on reindex_run
  for each row execute function search_parameters_changed();

grant select, insert, update on search_parameter_set to medseal_writer;
grant select, insert, update on reindex_run to medseal_writer;
grant select, insert, update, delete on custom_parameter to medseal_writer;
