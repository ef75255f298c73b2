-- What becomes of consents when two records turn out to be of one patient (DESIGN §7.6, docs/consent.md): denials of each
-- hold for all, permissions of none until they are given again. Called by writers that hold the locks of all of them
-- (src/repository/merges.ts).

-- Everyone whom these are merged with, themselves included.
create function merged_with(patients uuid[]) returns uuid[] language sql stable as $$
  select array(
    select unnest(patients) union select m.other from patient_merge m where m.patient = any (patients) order by 1)
$$;

-- Makes anew, from the links that stand, who is merged with whom, and with that the rules of all of them.
create function settle_merges(affected uuid[]) returns void language plpgsql as $$
begin
  delete from patient_merge where patient = any (affected);
  insert into patient_merge (patient, other, since)
  with recursive linked (patient, other) as (
    select patient, patient from unnest(affected) as patient
    union
    select l.patient, k.next
    from linked l cross join lateral (
      select other as next from patient_link where patient = l.other and until is null
      union all select patient from patient_link where other = l.other and until is null
    ) k
  )
  select l.patient, l.other, newest.since
  from linked l join (
    select l.patient, max(k.since) as since
    from linked l join patient_link k on k.until is null and k.patient = l.other
    group by l.patient
  ) newest using (patient);

  delete from consent_rule where patient = any (affected) and mirrored;
  update consent_rule r set suspended = not r.suspended
  where r.patient = any (affected) and r.suspended <> (r.permit and exists (
    select from patient_merge m join consent_current c on c.consent = r.consent
    where m.patient = r.patient and c.version_id < m.since));
  insert into consent_rule (patient, consent, consent_version, provision, depth, permit, rank, valid_from, valid_until,
    names_emergency, conditions, readers, mirrored)
  select m.other, r.consent, r.consent_version, r.provision, r.depth, r.permit, r.rank, r.valid_from, r.valid_until,
    r.names_emergency, r.conditions, r.readers, true
  from consent_rule r join patient_merge m on m.patient = r.patient and m.other <> r.patient
  where r.patient = any (affected) and not r.suspended;

  -- The self token of a patient: src/sealing/identity.ts.
  update resource_current c
  set readers = array(select distinct reader from unnest(c.readers || added.readers) as reader)
  from (
    select ('x' || left(replace(r.patient::text, '-', ''), 16))::bit(64)::bigint as self,
      array_agg(distinct reader) as readers
    from consent_rule r, unnest(r.readers) as reader
    where r.patient = any (affected) and r.permit and not r.suspended
    group by r.patient
  ) added
  where c.readers @> array[added.self] and not c.readers @> added.readers;
end $$;

-- A Patient's newest version says that it replaces these or is replaced by them, and no others.
create function link_patient(said_by uuid, others uuid[], in_version bigint) returns void language plpgsql as $$
declare
  affected uuid[] := merged_with(said_by || others);
begin
  update patient_link set until = in_version where patient = said_by and until is null and other <> all (others);
  insert into patient_link (patient, other, since)
  select said_by, other, in_version from unnest(others) as new (other)
  where not exists (
    select from patient_link k where k.patient = said_by and k.other = new.other and k.until is null);
  perform settle_merges(affected);
end $$;
