-- Every server keeps for seconds as whom a principal acts (src/consent/acting-as.ts); a change of what that is read from
-- is told to all of them.
create function actors_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('actors_changed', '');
  return null;
end $$;
create trigger actors_changed after insert on resource_version
  for each row when (new.type in ('PractitionerRole', 'Organization', 'Group', 'Device'))
  execute function actors_changed();

-- What consents a patient had at a past moment (src/repository/past-versions.ts).
create index resource_version_consents on resource_version using gin (patients) with (fastupdate = off)
  where type = 'Consent';
