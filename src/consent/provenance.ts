import type { Provenance } from '@medplum/fhirtypes';
import type { Principal } from '../request-context.ts';
import { PROVENANCE_PATIENT } from './record-facts.ts';

/** One version that a request wrote. */
export interface ProvenanceTarget {
  readonly interaction: 'create' | 'update' | 'delete';
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** A Consent on paper that staff have witnessed and entered. */
  readonly witnessed?: boolean;
}

const DATA_OPERATION = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation';
const AGENT_TYPE = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/**
 * The Provenance of one accepted request for one patient: who wrote which versions, when, on whose behalf (DESIGN §8).
 * Its anchor state is no part of it; that is computed when it is read.
 */
export function provenanceOf(
  id: string,
  patient: string | undefined,
  targets: readonly ProvenanceTarget[],
  principal: Principal,
  recorded: string,
): Provenance {
  const activities = new Set(targets.map((target) => target.interaction));
  const [activity] = activities;
  return {
    resourceType: 'Provenance',
    id,
    ...(patient === undefined
      ? {}
      : { extension: [{ url: PROVENANCE_PATIENT, valueReference: { reference: `Patient/${patient}` } }] }),
    target: targets.map((target) => ({ reference: `${target.type}/${target.id}/_history/${target.version}` })),
    recorded,
    ...(activities.size === 1 && activity !== undefined
      ? { activity: { coding: [{ system: DATA_OPERATION, code: activity.toUpperCase() }] } }
      : {}),
    agent: [
      ...witnessesOf(patient, targets, principal),
      {
        type: { coding: [{ system: AGENT_TYPE, code: 'author' }] },
        who: agentOf(principal),
        onBehalfOf: { reference: `Organization/${principal.institution}` },
      },
    ],
  };
}

/** Of a paper consent the patient is the source, and who entered it is more than its author. */
function witnessesOf(
  patient: string | undefined,
  targets: readonly ProvenanceTarget[],
  principal: Principal,
): Provenance['agent'] {
  if (patient === undefined || !targets.some((target) => target.witnessed)) return [];
  const as = (code: string) => ({ coding: [{ system: AGENT_TYPE, code }] });
  return [
    { type: as('enterer'), who: agentOf(principal) },
    { type: as('informant'), who: { reference: `Patient/${patient}` } },
  ];
}

function agentOf({ user, patient, clientId }: Principal): Provenance['agent'][number]['who'] {
  const person = user ?? patient;
  if (
    person !== undefined &&
    (person.type === 'Practitioner' || person.type === 'Patient' || person.type === 'RelatedPerson')
  ) {
    return { reference: `${person.type}/${person.id}` };
  }
  return { type: 'Device', identifier: { system: 'urn:ietf:rfc:6749:client_id', value: clientId } };
}
