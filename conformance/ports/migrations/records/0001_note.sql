-- What the port contracts need of the records database: a table, and a view for the reader.
create table note (
  id bigint generated always as identity primary key,
  name text not null constraint note_name_is_unique unique,
  owner text not null default '',
  counter integer not null default 0,
  -- Checked at COMMIT.
  slow_commit boolean not null default false
);
create view permitted_note as
  select id, name, counter from note where owner = nullif(current_setting('medseal.owner', true), '');

create function wait_at_commit() returns trigger language plpgsql as $$
begin
  if new.slow_commit then perform pg_sleep(60); end if;
  return null;
end $$;
create constraint trigger wait_at_commit after insert on note deferrable initially deferred
  for each row execute function wait_at_commit();

grant select, insert, update, delete on note to medseal_writer;
grant select on permitted_note to medseal_reader;
