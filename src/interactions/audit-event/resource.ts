import type { AuditEvent, AuditEventAgent, AuditEventEntity } from '@medplum/fhirtypes';
import type { TrailEntry } from '../../consent/guarded-trail.ts';
import { DROP } from '../../trail/access-retention.ts';

const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type';
const RESTFUL_INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const PURPOSE = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const PARTICIPANT_ROLE = 'http://dicom.nema.org/resources/ontology/DCM';
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';

/** AuditEvent.action by interaction; what is not listed executes something. */
const ACTIONS: Readonly<Record<string, NonNullable<AuditEvent['action']>>> = {
  create: 'C',
  read: 'R',
  vread: 'R',
  'history-instance': 'R',
  update: 'U',
  delete: 'D',
  [DROP]: 'D',
};

/**
 * An entry of the access trail as an R4 AuditEvent in the shape of IHE's Basic Audit Log Patterns
 * (https://profiles.ihe.net/ITI/BALP/). References are absolute: an entry may concern another base.
 *
 * @param urlOf turns `{institution}/{Type}/{id}…` into an absolute URL
 */
export function auditEventOf(entry: TrailEntry, urlOf: (name: string) => string): AuditEvent {
  const { details } = entry;
  const action = ACTIONS[details.interaction] ?? 'E';
  return {
    resourceType: 'AuditEvent',
    id: entry.id,
    meta: { versionId: '1', lastUpdated: entry.at },
    type: { system: EVENT_TYPE, code: 'rest', display: 'Restful Operation' },
    subtype: [{ system: RESTFUL_INTERACTION, code: details.interaction }],
    action,
    recorded: entry.at,
    outcome: outcomeOf(details.status),
    ...(details.purposes.length === 0
      ? {}
      : { purposeOfEvent: details.purposes.map((code) => ({ coding: [{ system: PURPOSE, code }] })) }),
    agent: agentsOf(entry, urlOf),
    source: { observer: { reference: urlOf(`${entry.institution}/Organization/${entry.institution}`) } },
    entity: entitiesOf(entry, urlOf),
  };
}

/** http://hl7.org/fhir/R4/valueset-audit-event-outcome.html */
function outcomeOf(status: number): NonNullable<AuditEvent['outcome']> {
  return status < 400 ? '0' : status < 500 ? '4' : '8';
}

function agentsOf({ details }: TrailEntry, urlOf: (name: string) => string): AuditEventAgent[] {
  const client: AuditEventAgent = {
    type: { coding: [{ system: PARTICIPANT_ROLE, code: '110153', display: 'Source Role ID' }] },
    who: { identifier: { system: 'urn:ietf:rfc:6749:client_id', value: details.client } },
    requestor: details.user === undefined,
  };
  const organisation: AuditEventAgent = {
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass', code: 'PROV' }] },
    who: { reference: urlOf(`${details.from}/Organization/${details.from}`) },
    requestor: false,
  };
  if (details.user === undefined) return [client, organisation];
  const user: AuditEventAgent = {
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
    who: { reference: urlOf(details.user) },
    requestor: true,
  };
  return [user, client, organisation];
}

function entitiesOf({ details, institution }: TrailEntry, urlOf: (name: string) => string): AuditEventEntity[] {
  const patients = details.patients.map((patient) => ({
    what: { reference: urlOf(patient) },
    type: { system: ENTITY_TYPE, code: '1', display: 'Person' },
    role: { system: OBJECT_ROLE, code: '1', display: 'Patient' },
  }));
  const versions = details.versions.map(([name]) => ({
    what: { reference: urlOf(name) },
    type: { system: ENTITY_TYPE, code: '2', display: 'System Object' },
    role: { system: OBJECT_ROLE, code: '4', display: 'Domain Resource' },
  }));
  const detail = [
    ...(details.remark === undefined ? [] : [{ type: 'remark', valueString: details.remark }]),
    ...(details.dropped === undefined
      ? []
      : [
          { type: 'dropped-leaves-below', valueString: String(details.dropped.leaves) },
          { type: 'dropped-before', valueString: details.dropped.before },
        ]),
  ];
  const asked = {
    type: { system: ENTITY_TYPE, code: '2', display: 'System Object' },
    role: { system: OBJECT_ROLE, code: '24', display: 'Query' },
    description: details.target === '' ? institution : details.target,
    ...(detail.length === 0 ? {} : { detail }),
    ...(details.query === undefined ? {} : { query: Buffer.from(details.query).toString('base64') }),
  };
  const request = {
    what: { identifier: { system: 'urn:ietf:rfc:9562', value: details.requestId } },
    type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
  };
  return [...patients, ...versions, asked, request];
}
