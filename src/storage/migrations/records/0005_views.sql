-- The first of the two consent locks (docs/consent.md): the reader role sees records only through these views, which
-- decide by the request's principal, held in transaction-local settings. Missing or empty settings yield no rows.
-- The settings, each read once per statement by an uncorrelated sub-select. Those that all requests have:
--   readers      what resource_current.readers must share: a superset of what may be permitted
--   facets       the principal's own tokens: actors, actions, purposes
--   self         patients whose record the principal reads as the patient or a representative
--   compartment  only these patients' records, and the directory (patient/ scopes, break-glass); '*' for no such limit
--   types        resource types that the token's scopes cover for this interaction; '*' for all
--   instant      the request's one instant
-- Those that only permit more:
--   institution  the principal's own institution, which alone sees its records of no patient
--   custodian    the same when the token's purpose is treatment: the default access of a custodian
--   grants       what the scopes cover beside whole types, a list of {type, within, conditions}: granular scopes, and
--                patient/ scopes beside others
--   emergency    'on' for a break-glass token, for the patients of its compartment

-- In plpgsql, because what is inlined into the views is planned anew with every search.
create function principal_text(setting text) returns text language plpgsql stable parallel safe as $$
begin
  return nullif(current_setting('medseal.' || setting, true), '');
end $$;
create function principal_uuids(setting text) returns uuid[] language plpgsql stable parallel safe as $$
begin
  return coalesce(nullif(principal_text(setting), '*'), '{}')::uuid[];
end $$;
create function principal_emergencies() returns uuid[] language plpgsql stable parallel safe as $$
begin
  return case when principal_text('emergency') = 'on' then principal_uuids('compartment') else '{}' end;
end $$;
-- A request that lost one of these on its way would see more, such as what a deny by actor hides, were it not refused.
create function principal_told() returns boolean language plpgsql stable parallel safe as $$
begin
  return principal_text('readers') is not null and principal_text('facets') is not null
    and principal_text('self') is not null and principal_text('compartment') is not null
    and principal_text('types') is not null and principal_text('instant') is not null;
end $$;
-- Inlined, because of a row that no index has narrowed down it is asked for each.
create function principal_tokens(setting text) returns bigint[] language sql stable parallel safe
  return coalesce(nullif(current_setting('medseal.' || setting, true), ''), '{}')::bigint[];

-- Types that need only the scope (DESIGN 7.2); src/consent/directory.ts holds the same list, and a test compares them.
create function directory_types() returns text[] language sql immutable parallel safe
  return '{ActivityDefinition,CapabilityStatement,ChargeItemDefinition,CodeSystem,CompartmentDefinition,ConceptMap,Endpoint,ExampleScenario,GraphDefinition,HealthcareService,ImplementationGuide,Location,Medication,MedicationKnowledge,MessageDefinition,NamingSystem,ObservationDefinition,OperationDefinition,Organization,OrganizationAffiliation,PlanDefinition,Practitioner,PractitionerRole,Questionnaire,SearchParameter,SpecimenDefinition,StructureDefinition,StructureMap,Substance,TerminologyCapabilities,ValueSet}'::text[];

-- A grant covers a version of its type, in the compartments that it is limited to, that has one token of each condition.
create function principal_granted(of_type text, of_patients uuid[], of_facets bigint[]) returns boolean
language sql stable parallel safe as $$
  select exists (
    select from jsonb_to_recordset(nullif(current_setting('medseal.grants', true), '')::jsonb)
      as granted (type text, within text, conditions text[])
    where granted.type in (of_type, '*')
      and (granted.within is null or of_patients = '{}' and of_type = any (directory_types())
        or of_patients && granted.within::uuid[])
      and not exists (
        select from unnest(granted.conditions) as condition where not condition::bigint[] && of_facets))
$$;

create view permitted_version as
select v.id, v.institution, v.type, v.id_token, v.version, v.interaction, v.at, v.patients, v.sealed, v.digest,
  v.envelope, v.leaf_hash,
  -- The consents that the second lock decides by, and with whom its patients are merged, from the same snapshot.
  array(
    select c.version_id from consent_current c
    where c.patient = any (v.patients || array(
      select m.other from patient_merge m where m.patient = any (v.patients)))) as consents,
  array(
    select m.patient || ' ' || m.other || ' ' || m.since from patient_merge m
    where m.patient = any (v.patients)) as merges
from resource_version v
where (select principal_told())
  and (v.type = any ((select string_to_array(principal_text('types'), ','))::text[])
    or (select principal_text('types') = '*')
    or (select principal_text('grants') is not null) and principal_granted(v.type, v.patients, v.facets))
  and ((select principal_text('compartment') = '*')
    or v.patients = '{}'
    or v.patients && (select principal_uuids('compartment'))::uuid[])
  and case
    when v.patients = '{}' then
      v.type = any (directory_types())
      or v.institution = (select principal_text('institution')::smallint)
    -- Nothing but a specific deny takes a record from its custodian, so whose patients have none need not be looked into.
    else v.institution = (select principal_text('custodian')::smallint)
      and not exists (select from consent_rule deny where deny.patient = any (v.patients) and deny.rank in (-1, 1))
    or not exists (
      select from unnest(v.patients) as of_record (patient)
      where of_record.patient <> all ((select principal_uuids('self'))::uuid[])
        and not (
          -- Within a consent the deepest provision that matches decides, a deny among equals; across consents the
          -- smallest rank; the default is the custodian's. Break-glass overrides every deny that does not name it.
          select case
              when min(decided.rank) in (0, 2, 4) then true
              when min(decided.rank) in (-1, 1) then false
              else coalesce(v.institution = (select principal_text('custodian')::smallint), false)
                or of_record.patient = any ((select principal_emergencies())::uuid[])
            end
          from (
            select (array_agg(rule.rank order by rule.depth desc, rule.permit, rule.rank))[1] as rank
            from consent_rule rule
            where rule.patient = of_record.patient
              and not rule.suspended
              and rule.valid_from <= (select principal_text('instant')::timestamptz)
              and rule.valid_until > (select principal_text('instant')::timestamptz)
              and (rule.permit or rule.names_emergency
                or of_record.patient <> all ((select principal_emergencies())::uuid[]))
              and not exists (
                select from generate_subscripts(rule.conditions, 1) as i
                where not rule.conditions[i:i] && (v.facets || (select principal_tokens('facets'))::bigint[]))
            group by rule.consent
          ) decided
        )
    )
  end;

create view permitted_current as
select c.self, c.id_token, c.version_id, c.institution, c.type, c.version, c.at, c.deleted, c.tokens, c.traits, c.readers,
  v.interaction, v.patients, v.sealed, v.digest, v.envelope, v.leaf_hash, v.consents, v.merges
from resource_current c
join permitted_version v on v.id = c.version_id
-- Asked of the row, since a custodian's records are most there are: which searches the index narrows down by its readers
-- is for src/repository/permitted.ts to say. Without coalesce PostgreSQL takes it for granted that one row in a hundred
-- has them, and would rather sort all records than read a page of them in their order.
where coalesce((c.readers || '{}') && (select principal_tokens('readers'))::bigint[], false);

-- The access trail: a patient sees who touched their record, an institution's own clients its whole trail.
create view permitted_access as
select a.id, a.institution, a.id_token, a.at, a.patients, a.sealed, a.leaf_hash
from access_entry a
where (select principal_told())
  and ((select 'AuditEvent' = any (string_to_array(principal_text('types'), ',')))
    or (select principal_text('types') = '*'))
  and ((select principal_text('compartment') = '*')
    or a.patients && (select principal_uuids('compartment'))::uuid[])
  and (a.patients && (select principal_uuids('self'))::uuid[]
    or a.institution = (select principal_text('institution')::smallint));

grant select on permitted_version, permitted_current, permitted_access to medseal_reader;

grant select on institution, leaf, batch, access_segment to medseal_writer;
grant select, insert, update on resource_version, resource_current, idempotency, leaf_pending, leaf, batch,
  access_entry, access_segment, institution to medseal_writer;
grant select, insert, update, delete on consent_current, consent_rule, patient_link, patient_merge to medseal_writer;
grant delete on leaf_pending, idempotency to medseal_writer;
grant usage on all sequences in schema public to medseal_writer;
