import type { Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';

/**
 * What the cases are written in. Each case has a patient of its own at hospital-a; in everything that it says `@` stands
 * for that patient's id. The patient has the records of {@link recordsOf}, in one transaction with the consents, which
 * staff enter as witnessed papers.
 */
export interface ConsentCase {
  readonly name: string;
  /** One sentence: why this must be the answer. */
  readonly why: string;
  /** Where it comes from, when it is not ours. */
  readonly source?: string;
  readonly consents: readonly Partial<Consent>[];
  /** Instead of 1980-01-01. */
  readonly birthDate?: string;
  readonly asks: readonly Ask[];
}

export interface Ask {
  readonly by: Requester;
  /** SMART scopes to ask for instead of all that the client has. */
  readonly scope?: string;
  /** Names of records, separated by spaces; `all` or ''. */
  readonly sees: string;
}

/** A Consent that must be refused, by the element that stands in the way. */
export interface RefusedCase {
  readonly name: string;
  readonly why: string;
  readonly source?: string;
  readonly consent: Partial<Consent>;
  readonly expression: string;
}

/** Who asks; REQUESTERS in runner.ts says as which client. */
export type Requester =
  | 'A' // hospital-a, the custodian, for treatment
  | 'A research'
  | 'A silent' // without a purpose
  | 'Dr A' // a practitioner of hospital-a
  | 'B' // hospital-b, for treatment
  | 'B emergency'
  | 'B payment'
  | 'B silent'
  | 'Dr B' // cardiologist-b in ward-b, part of clinic-b, member of the group board-b
  | 'Nurse B' // without any role, but one that has ended in oncology-b
  | 'Device B' // pump-b
  | 'R' // the research institute
  | 'R trial'
  | 'R marketing'
  | 'self' // the patient
  | 'father' // RelatedPerson/@-father
  | 'former'; // RelatedPerson/@-former, whose record says that it is over

export const RECORDS = ['patient', 'hb', 'hiv', 'psych', 'diabetes', 'visit', 'rx', 'note', 'bare'] as const;
export type RecordName = (typeof RECORDS)[number];

export const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
export const LOINC = 'http://loinc.org';
export const SNOMED = 'http://snomed.info/sct';
export const ICD10 = 'http://hl7.org/fhir/sid/icd-10';
export const ATC = 'http://www.whocc.no/atc';

export function concept(system: string, code: string) {
  return { coding: [{ system, code }] };
}

const confidentiality = (code: string) => ({ system: `${TERMINOLOGY}/v3-Confidentiality`, code });
const sensitivity = (code: string) => ({ system: `${TERMINOLOGY}/v3-ActCode`, code });

/** `N`, `R` … of the confidentiality order; every other code is one of v3-ActCode. */
function label(code: string) {
  return 'ULMNRV'.includes(code) ? confidentiality(code) : sensitivity(code);
}

/** @param base of the practitioner dr-b, absolute */
export function recordsOf(id: string, birthDate: string, baseOfB: string): Readonly<Record<RecordName, Resource>> {
  const subject = { reference: `Patient/${id}` };
  const labelled = (...codes: readonly string[]) => ({ meta: { security: codes.map(label) } });
  const named = (name: RecordName) => `${id}-${name}`;
  const laboratory = [concept(`${TERMINOLOGY}/observation-category`, 'laboratory')];
  return {
    patient: { resourceType: 'Patient', id, ...labelled('N'), birthDate, gender: 'female' },
    hb: {
      resourceType: 'Observation',
      id: named('hb'),
      ...labelled('N'),
      status: 'final',
      category: laboratory,
      code: concept(LOINC, '718-7'),
      subject,
      effectiveDateTime: '2023-03-01',
      performer: [{ reference: 'Practitioner/dr-a' }],
    },
    hiv: {
      resourceType: 'Observation',
      id: named('hiv'),
      ...labelled('R', 'HIV'),
      status: 'final',
      category: laboratory,
      code: concept(LOINC, '7917-8'),
      subject,
      effectiveDateTime: '2023-03-02',
    },
    psych: {
      resourceType: 'Condition',
      id: named('psych'),
      ...labelled('R', 'PSY'),
      code: concept(ICD10, 'F32.1'),
      subject,
    },
    diabetes: {
      resourceType: 'Condition',
      id: named('diabetes'),
      ...labelled('N'),
      code: concept(ICD10, 'E11.9'),
      subject,
    },
    visit: {
      resourceType: 'Encounter',
      id: named('visit'),
      ...labelled('L'),
      status: 'finished',
      class: { system: `${TERMINOLOGY}/v3-ActCode`, code: 'AMB' },
      type: [concept(SNOMED, '185349003')],
      subject,
      period: { start: '2021-05-30', end: '2021-06-02' },
    },
    rx: {
      resourceType: 'MedicationRequest',
      id: named('rx'),
      ...labelled('N'),
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: concept(ATC, 'A10BA02'),
      subject,
      requester: { reference: 'Practitioner/dr-a' },
    },
    note: {
      resourceType: 'DocumentReference',
      id: named('note'),
      meta: { security: [label('V')], profile: ['http://example.org/profile/note|2'] },
      status: 'current',
      type: concept(LOINC, '11488-4'),
      subject,
      date: '2023-02-01T00:00:00Z',
      author: [{ reference: `${baseOfB}/Practitioner/dr-b` }],
      content: [{ attachment: { title: 'a' } }],
    },
    bare: { resourceType: 'Observation', id: named('bare'), status: 'final', code: { text: 'in words' }, subject },
  };
}

export function optIn(provision?: ConsentProvision): Partial<Consent> {
  return { policyRule: concept(`${TERMINOLOGY}/v3-ActCode`, 'OPTIN'), ...(provision && { provision }) };
}
export function optOut(provision?: ConsentProvision): Partial<Consent> {
  return { policyRule: concept(`${TERMINOLOGY}/v3-ActCode`, 'OPTOUT'), ...(provision && { provision }) };
}
export function root(provision: ConsentProvision): Partial<Consent> {
  return { provision };
}
export function permit(...parts: readonly ConsentProvision[]): ConsentProvision {
  return Object.assign({ type: 'permit' }, ...parts) as ConsentProvision;
}
export function deny(...parts: readonly ConsentProvision[]): ConsentProvision {
  return Object.assign({ type: 'deny' }, ...parts) as ConsentProvision;
}
export function but(...provision: ConsentProvision[]): ConsentProvision {
  return { provision };
}

/** Recipients: `hospital-b` an institution, else a reference; `b:Type/id` one of hospital-b's base. */
export function to(...actors: readonly string[]): ConsentProvision {
  return {
    actor: actors.map((one) => ({
      role: concept(`${TERMINOLOGY}/v3-ParticipationType`, 'IRCP'),
      reference: { reference: referenceTo(one) },
    })),
  };
}
function referenceTo(actor: string): string {
  if (actor.startsWith('b:')) return `%B%/${actor.slice(2)}`;
  return actor.includes('/') ? actor : `Organization/${actor}`;
}
/** Representatives. */
export function by(role: 'GUARD' | 'HPOWATT', person = 'RelatedPerson/@-father'): ConsentProvision {
  const system = role === 'GUARD' ? 'v3-RoleClass' : 'v3-RoleCode';
  return { actor: [{ role: concept(`${TERMINOLOGY}/${system}`, role), reference: { reference: person } }] };
}
export function forPurpose(...codes: readonly string[]): ConsentProvision {
  return { purpose: codes.map((code) => ({ system: `${TERMINOLOGY}/v3-ActReason`, code })) };
}
export function doing(...codes: readonly string[]): ConsentProvision {
  return { action: codes.map((code) => concept(`${TERMINOLOGY}/consentaction`, code)) };
}
export function ofType(...codes: readonly string[]): ConsentProvision {
  return { class: codes.map((code) => ({ system: 'http://hl7.org/fhir/resource-types', code })) };
}
export function ofProfile(code: string): ConsentProvision {
  return { class: [{ code }] };
}
export function about(system: string, ...codes: readonly string[]): ConsentProvision {
  return { code: codes.map((code) => concept(system, code)) };
}
export function labelled(...codes: readonly string[]): ConsentProvision {
  return { securityLabel: codes.map(label) };
}
export function during(start: string | undefined, end?: string): ConsentProvision {
  return { period: { ...(start && { start }), ...(end && { end }) } };
}
export function dated(start: string | undefined, end?: string): ConsentProvision {
  return { dataPeriod: { ...(start && { start }), ...(end && { end }) } };
}
export function data(
  meaning: 'instance' | 'authoredby' | 'related' | 'dependents',
  reference: string,
): ConsentProvision {
  return { data: [{ meaning, reference: { reference } }] };
}
