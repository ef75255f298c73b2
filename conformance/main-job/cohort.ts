import assert from 'node:assert/strict';
import type { Bundle, Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';
import type { FhirClient } from '../support/fhir-client.ts';

/** A record of the cohort, with what a consent may ask about it, told apart from the resource itself. */
export interface CohortRecord {
  readonly type: string;
  readonly id: string;
  readonly patients: readonly string[];
  readonly code?: string;
  /** Days that it is about. */
  readonly from?: string;
  readonly until?: string;
  readonly label?: 'R';
  readonly resource: Resource;
}

export const PATIENTS = ['anna-000001', 'bert-000001', 'carl-000001'] as const;
export const [ANNA, BERT] = PATIENTS;
export const IDENTIFIERS = 'urn:oid:2.16.156.10011.1.3';
const CODES = 'http://loinc.org';

/** Three patients with some records each, some of two of them. */
export function cohort(): readonly CohortRecord[] {
  return [
    ...PATIENTS.map(patient),
    ...PATIENTS.flatMap((id) => [
      observation(id, 'hb-2019', '718-7', '2019-06-01'),
      observation(id, 'hb-2021', '718-7', '2021-06-01'),
      observation(id, 'hiv-2021', '7917-8', '2021-06-02'),
      { ...observation(id, 'secret', '718-7', '2021-06-03', 'R'), label: 'R' as const },
      condition(id),
      encounter(id),
      undated(id),
    ]),
    appointment('both', [ANNA, BERT]),
    appointment('alone', [ANNA]),
  ];
}

/** Puts them all at a base, in one transaction. */
export async function putCohort(client: FhirClient, records: readonly CohortRecord[]): Promise<void> {
  const entry = records.map(({ type, id, resource }) => ({
    resource,
    request: { method: 'PUT', url: `${type}/${id}` },
  }));
  const answer = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  assert.equal(answer.status, 200, answer.text);
  assert.ok((answer.json<Bundle>().entry ?? []).every(({ response }) => response?.status === '201'));
}

/** A Consent of a patient about research, as a body to post. */
export function consentOf(patient: string, provision: ConsentProvision, more: Partial<Consent> = {}): Consent {
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    dateTime: '2026-01-01',
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
    provision,
    ...more,
  };
}

/** A recipient that a provision names. */
export function recipient(institution: string): NonNullable<ConsentProvision['actor']>[number] {
  return {
    role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
    reference: { reference: `Organization/${institution}` },
  };
}

export function typeClass(code: string) {
  return { system: 'http://hl7.org/fhir/resource-types', code };
}

function patient(id: string): CohortRecord {
  const resource: Resource = {
    resourceType: 'Patient',
    id,
    identifier: [{ system: IDENTIFIERS, value: `110101${id}` }],
    name: [{ family: `family-of-${id}`, given: ['王'] }],
    gender: 'female',
    birthDate: '1980-01-01',
  };
  return { type: 'Patient', id, patients: [id], resource };
}

function observation(subject: string, name: string, code: string, day: string, label?: string): CohortRecord {
  const id = `${name}-${subject}`;
  const resource: Resource = {
    resourceType: 'Observation',
    id,
    ...(label && {
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: label }] },
    }),
    status: 'final',
    code: { coding: [{ system: CODES, code }] },
    subject: { reference: `Patient/${subject}` },
    effectiveDateTime: `${day}T10:00:00+08:00`,
    valueQuantity: { value: 13.5, unit: 'g/dL' },
  };
  return { type: 'Observation', id, patients: [subject], code, from: day, until: day, resource };
}

function condition(subject: string): CohortRecord {
  const id = `condition-${subject}`;
  const code = '38341003';
  const resource: Resource = {
    resourceType: 'Condition',
    id,
    code: { coding: [{ system: 'http://snomed.info/sct', code }] },
    subject: { reference: `Patient/${subject}` },
    recordedDate: '2021-03-01',
  };
  // R4 has no `date` parameter for it, so it does not tell when it was.
  return { type: 'Condition', id, patients: [subject], code, resource };
}

function encounter(subject: string): CohortRecord {
  const id = `visit-${subject}`;
  const resource: Resource = {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${subject}` },
    period: { start: '2021-05-30', end: '2021-06-02' },
  };
  return { type: 'Encounter', id, patients: [subject], from: '2021-05-30', until: '2021-06-02', resource };
}

function undated(subject: string): CohortRecord {
  const id = `undated-${subject}`;
  const resource: Resource = {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'something without a code' },
    subject: { reference: `Patient/${subject}` },
  };
  return { type: 'Observation', id, patients: [subject], resource };
}

function appointment(id: string, patients: readonly string[]): CohortRecord {
  const resource: Resource = {
    resourceType: 'Appointment',
    id,
    status: 'booked',
    participant: patients.map((one) => ({ actor: { reference: `Patient/${one}` }, status: 'accepted' })),
  };
  return { type: 'Appointment', id, patients, resource };
}
