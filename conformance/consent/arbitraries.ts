/**
 * Random consents, records and requests, out of pools so small that they often meet. `@` stands for what sets one round's
 * ids apart from another's (see `materialise`). Longer than 300 lines: one grammar, whose parts use each other.
 */
import type { Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { Principal } from '../../src/request-context.ts';
import { type Entry, NOW, PUBLIC_URL } from './world.ts';

export const INSTITUTIONS = ['hospital-a', 'hospital-b', 'research'] as const;

/** One database's worth of triples: every request is decided for every record. */
export interface Round {
  readonly consents: readonly Versions[];
  readonly records: readonly Versions[];
  /** Written when the records are there, and with them all merges. */
  readonly later: readonly Versions[];
  readonly requests: readonly RandomRequest[];
}

/** The versions of one resource, oldest first. */
export interface Versions {
  readonly institution: string;
  readonly versions: readonly Resource[];
  readonly deleted: boolean;
}

export interface RandomRequest {
  readonly principal: Pick<Principal, 'institution' | 'purposes' | 'patient' | 'user'> & { readonly scopes: string };
  readonly action: 'read' | 'disclose' | 'count';
  readonly scope: 'r' | 's';
  readonly instant: number;
  /** Patients of hospital-a whom the requester represents, beside the one that the token names. */
  readonly represented: readonly string[] | undefined;
  readonly actingAs: readonly string[];
  /** Patients of hospital-a for whom the glass was broken. */
  readonly emergency: readonly string[] | undefined;
}

/** Undefined `rarity` times as often as a value. JSON leaves it out. */
function rarely<T>(rarity: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: rarity }, { arbitrary, weight: 1 });
}

function some<T>(arbitrary: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> {
  return fc.array(arbitrary, { minLength: 1, maxLength });
}

/** The first `weight` times as often as each of the others. */
function mostly<T>(weight: number, usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight },
    ...others.map((one) => ({ arbitrary: fc.constant(one), weight: 1 })),
  );
}

const patient = fc.constantFrom('@p0', '@p1', '@p2', '@p3');
const patientReference = patient.map((id) => ({ reference: `Patient/${id}` }));

const SNOMED = 'http://snomed.info/sct';
const ICD10 = 'http://hl7.org/fhir/sid/icd-10';
const LOINC = 'http://loinc.org';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

const coding = fc.constantFrom(
  { system: SNOMED, code: '86406008' },
  { system: SNOMED, code: '73211009' },
  { system: LOINC, code: '718-7' },
  { system: LOINC, code: '86406008' },
  { system: ICD10, code: 'E11.9' },
  { system: ICD10, code: 'E11' },
);
const label = fc.constantFrom(
  ...['U', 'L', 'N', 'R', 'V', 'HIV'].map((code) => ({ system: CONFIDENTIALITY, code })),
  ...['PSY', 'HIV'].map((code) => ({ system: ACT_CODE, code })),
);
const profile = fc.constantFrom('http://example.org/profile/a', 'http://example.org/profile/b');
const practitioner = fc.constantFrom(
  'Practitioner/dr-1',
  'Practitioner/dr-2',
  `${PUBLIC_URL}/hospital-b/fhir/Practitioner/dr-1`,
);

// Consents

const DAYS = ['1999', '2021-03', '2022', '2022-12-31', '2023-01-01', '2023-02', '2023-02-28', '2031-05'];
const INSTANTS = [
  ...['2020', '2023-06-15T12:00:00Z', '2024-06-15', '2024-06-15T12:00:00Z', '2024-06-15T20:00:00.000+08:00'],
  ...['2024-06-15T12:00:01Z', '2025-01', '9999'],
];

/** @param bounds in order, so that no period ends before it begins */
function period(bounds: readonly string[]): fc.Arbitrary<{ start?: string; end?: string }> {
  const bound = fc.nat(bounds.length - 1);
  return fc.oneof(
    bound.map((at) => ({ start: String(bounds[at]) })),
    bound.map((at) => ({ end: String(bounds[at]) })),
    fc.tuple(bound, bound).map(([a, b]) => ({
      start: String(bounds[Math.min(a, b)]),
      end: String(bounds[Math.max(a, b)]),
    })),
  );
}

/** As whom a user may also act. */
const ROLES = ['Organization/ward', 'PractitionerRole/cardiologist', 'Group/board', 'Device/pump'];
const relative = fc.constantFrom('RelatedPerson/r1', 'RelatedPerson/r2');
const actorOf = (system: string, code: string, reference: string) => ({
  role: { coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] },
  reference: { reference },
});
const actor = fc
  .oneof(
    fc.constantFrom(...INSTITUTIONS).map((id) => `Organization/${id}`),
    practitioner,
    patient.map((id) => `Patient/${id}`),
    fc.constantFrom(...ROLES),
    relative,
  )
  .map((reference) => actorOf('v3-ParticipationType', 'IRCP', reference));
const representative = fc.oneof(
  relative.map((reference) => actorOf('v3-RoleClass', 'GUARD', reference)),
  relative.map((reference) => actorOf('v3-RoleCode', 'HPOWATT', reference)),
);
const action = fc
  .constantFrom(
    { system: 'http://terminology.hl7.org/CodeSystem/consentaction', code: 'access' },
    { system: 'http://terminology.hl7.org/CodeSystem/consentaction', code: 'use' },
    { system: 'http://terminology.hl7.org/CodeSystem/consentaction', code: 'disclose' },
    { system: 'https://medseal.org/fhir/CodeSystem/consent-action', code: 'count' },
  )
  .map((one) => ({ coding: [one] }));
const purpose = fc
  .constantFrom('TREAT', 'ETREAT', 'HRESCH', 'CLINTRCH', 'HMARKT', 'PurposeOfUse')
  .map((code) => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code }));
const recordClass = fc.oneof(
  fc
    .constantFrom('Observation', 'Condition', 'Encounter', 'Patient', 'DocumentReference')
    .map((code) => ({ system: 'http://hl7.org/fhir/resource-types', code })),
  profile.map((code) => ({ code })),
  fc.constant({ code: 'http://hl7.org/fhir/StructureDefinition/Observation' }),
);
const data = fc.oneof(
  fc
    .constantFrom('Observation/@r0', 'Condition/@r1', 'Observation/@inside')
    .map((reference) => ({ meaning: 'instance' as const, reference: { reference } })),
  practitioner.map((reference) => ({ meaning: 'authoredby' as const, reference: { reference } })),
);

function provision(depth: number, type: fc.Arbitrary<'permit' | 'deny' | undefined>): fc.Arbitrary<ConsentProvision> {
  return fc.oneof(
    { arbitrary: ordinaryProvision(depth, type), weight: 4 },
    {
      arbitrary: fc
        .tuple(some(representative), ordinaryProvision(depth, fc.constant('permit')))
        .map(([actors, permits]) => ({ ...permits, actor: actors })),
      weight: 1,
    },
  );
}

function ordinaryProvision(
  depth: number,
  type: fc.Arbitrary<'permit' | 'deny' | undefined>,
): fc.Arbitrary<ConsentProvision> {
  const nested = depth === 0 ? fc.constant(undefined) : rarely(1, some(provision(depth - 1, effect), 3));
  return fc.record({
    type,
    period: rarely(8, period(INSTANTS)),
    actor: rarely(3, some(actor)),
    action: rarely(7, some(action)),
    purpose: rarely(4, some(purpose)),
    securityLabel: rarely(6, some(label)),
    class: rarely(4, some(recordClass)),
    code: rarely(6, some(some(coding).map((codings) => ({ coding: codings })))),
    dataPeriod: rarely(6, period(DAYS)),
    data: rarely(7, some(data)),
    provision: nested,
  }) as fc.Arbitrary<ConsentProvision>;
}

const effect = fc.constantFrom('permit' as const, 'deny' as const);

/** Without a policyRule the root's type is needed, and without attributes it must not contradict it. */
const policy = fc
  .tuple(rarely(1, fc.constantFrom('OPTIN', 'OPTOUT')), rarely(1, provision(3, rarely(3, effect))), effect)
  .map(([rule, root, type]) => {
    const policyRule = rule && { coding: [{ system: ACT_CODE, code: rule }] };
    if (rule !== undefined && root === undefined) return { policyRule };
    const { type: given, period: _, provision: nested, ...attributes } = { provision: undefined, ...root };
    const bare = Object.values(attributes).every((one) => one === undefined);
    const declared = rule === 'OPTIN' ? 'permit' : 'deny';
    const typed = rule === undefined ? (given ?? type) : bare && given !== undefined ? declared : given;
    return { policyRule, provision: { ...root, type: typed, provision: nested } };
  });

const ordinaryConsent = fc
  .record({
    status: mostly(8, 'active', 'draft', 'inactive', 'entered-in-error'),
    scope: mostly(4, 'patient-privacy', 'research', 'research', 'treatment', 'adr').map((code) => ({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code }],
    })),
    patient: patientReference,
    policy,
  })
  .map(
    ({ policy: parts, ...header }) =>
      ({ resourceType: 'Consent', category: [{ text: 'any' }], ...header, ...parts }) as Consent,
  );

/** Somebody acts for the patient, and nothing else is said. */
const delegation = fc.tuple(patientReference, some(representative)).map(
  ([of, actors]) =>
    ({
      resourceType: 'Consent',
      category: [{ text: 'any' }],
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      patient: of,
      provision: { type: 'permit', actor: actors },
    }) as Consent,
);
const consent = fc.oneof({ arbitrary: ordinaryConsent, weight: 5 }, { arbitrary: delegation, weight: 1 });

const consents = (minLength: number, maxLength: number) =>
  fc.array(
    fc.record({
      institution: fc.constant('hospital-a'),
      versions: some(consent),
      deleted: mostly(5, false, true),
    }),
    { minLength, maxLength, size: 'max' },
  );

// Records

const told = {
  meta: rarely(
    1,
    fc.record({
      security: rarely(1, some(fc.oneof(label, fc.constantFrom({ code: 'R' }, { code: 'PSY' })))),
      profile: rarely(2, some(fc.oneof(profile, fc.constant('http://example.org/profile/a|2')))),
    }),
  ),
  concept: fc.oneof(
    some(coding).map((codings) => ({ coding: codings })),
    fc.constantFrom({ text: 'in words' }, { coding: [{ code: '73211009' }] }, { coding: [{ system: LOINC }] }),
  ),
  date: fc.constantFrom(
    undefined,
    { dateTime: '2021-03-07' },
    { dateTime: '2022-12-31T23:59:59.999Z' },
    { dateTime: '2023-01-01T07:00:00+08:00' },
    { dateTime: '1750' },
    { period: { start: '2022-12', end: '2023-01-01' } },
    { period: { start: '2023-02-28T23:00:00Z' } },
    { period: { end: '2021-03' } },
  ),
  author: rarely(
    1,
    some(
      fc.oneof(
        practitioner.map((reference) => ({ reference })),
        fc.constant({ identifier: { value: '7' } }),
      ),
    ),
  ),
};

const subject = fc.oneof(
  { arbitrary: patientReference, weight: 12 },
  { arbitrary: fc.constant({ reference: `${PUBLIC_URL}/hospital-b/fhir/Patient/@p0` }), weight: 1 },
  { arbitrary: fc.constant({ display: 'somebody' }), weight: 1 },
);

type Timed = { readonly dateTime?: string; readonly period?: object } | undefined;

function observation(): fc.Arbitrary<object> {
  const { meta, concept, date, author } = told;
  const second = rarely(4, patientReference);
  return fc.record({ meta, concept, date, author, subject, second }).map((one) => ({
    resourceType: 'Observation',
    meta: one.meta,
    status: 'final',
    code: one.concept,
    subject: one.subject,
    performer: one.second === undefined ? one.author : [...(one.author ?? []), one.second],
    effectiveDateTime: (one.date as Timed)?.dateTime,
    effectivePeriod: (one.date as Timed)?.period,
  }));
}

const { meta, concept, date, author } = told;

/** Two of the four kinds of link merge, and only with a patient of the same base. */
const patientRecord: fc.Arbitrary<object> = fc
  .record({
    meta,
    link: rarely(
      2,
      some(
        fc.record({
          other: fc.oneof(
            { arbitrary: patientReference, weight: 8 },
            { arbitrary: fc.constant({ reference: `${PUBLIC_URL}/hospital-b/fhir/Patient/@p0` }), weight: 1 },
            { arbitrary: fc.constant({ display: 'somebody' }), weight: 1 },
          ),
          type: fc.constantFrom('seealso', 'refer', 'replaced-by', 'replaces'),
        }),
      ),
    ),
  })
  .map((one) => ({ resourceType: 'Patient', ...one }));

/** Eight types that tell different things about themselves, and what belongs to nobody. */
const record: fc.Arbitrary<object> = fc.oneof(
  { arbitrary: observation(), weight: 4 },
  {
    arbitrary: fc
      .record({ meta, code: concept, subject, asserter: author.map((list) => list?.[0]) })
      .map((one) => ({ resourceType: 'Condition', ...one })),
    weight: 2,
  },
  {
    arbitrary: fc.record({ meta, type: some(concept), subject, date }).map(({ date: when, ...one }) => ({
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: ACT_CODE, code: 'AMB' },
      ...one,
      period: (when as Timed)?.period,
    })),
    weight: 2,
  },
  {
    arbitrary: fc
      .record({ meta, medicationCodeableConcept: concept, subject, requester: author.map((list) => list?.[0]) })
      .map((one) => ({ resourceType: 'MedicationRequest', status: 'active', intent: 'order', ...one })),
    weight: 1,
  },
  {
    arbitrary: fc
      .record({ meta, code: concept, subject, requester: author.map((list) => list?.[0]), performer: author })
      .map((one) => ({ resourceType: 'ServiceRequest', status: 'active', intent: 'order', ...one })),
    weight: 1,
  },
  {
    arbitrary: fc.record({ meta, type: concept, subject, author }).map((one) => ({
      resourceType: 'DocumentReference',
      status: 'current',
      content: [{ attachment: { title: 'a' } }],
      ...one,
      date: '2023-02-01T00:00:00Z',
    })),
    weight: 1,
  },
  {
    arbitrary: fc.record({ meta, patients: some(patientReference, 3) }).map((one) => ({
      resourceType: 'List',
      status: 'current',
      mode: 'working',
      meta: one.meta,
      entry: one.patients.map((item) => ({ item })),
    })),
    weight: 1,
  },
  {
    arbitrary: fc.record({ meta, inside: some(observation(), 2) }).map((one) => ({
      resourceType: 'Bundle',
      type: 'collection',
      meta: one.meta,
      entry: one.inside.map((resource) => ({ resource: { ...resource, id: '@inside' } })),
    })),
    weight: 1,
  },
  { arbitrary: patientRecord, weight: 1 },
  { arbitrary: fc.record({ meta, code: concept }).map((one) => ({ resourceType: 'Medication', ...one })), weight: 1 },
  {
    arbitrary: fc.record({ meta }).map((one) => ({ resourceType: 'Group', type: 'person', actual: false, ...one })),
    weight: 1,
  },
);

const records = fc.array(
  fc.record({
    institution: mostly(8, 'hospital-a', 'hospital-b'),
    versions: fc.oneof({ arbitrary: some(record, 1), weight: 3 }, { arbitrary: sameType(), weight: 1 }),
    deleted: fc.constant(false),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
) as fc.Arbitrary<Versions[]>;

/** An update keeps type and id; everything else may change, the patient included. */
function sameType(): fc.Arbitrary<object[]> {
  const two = (one: fc.Arbitrary<object>) => fc.array(one, { minLength: 2, maxLength: 2 });
  return fc.oneof({ arbitrary: two(observation()), weight: 4 }, { arbitrary: two(patientRecord), weight: 1 });
}

// Requests

const request: fc.Arbitrary<RandomRequest> = fc
  .record({
    who: mostly(3, 'system', 'user', 'patient', 'launch', 'relative', 'relative'),
    roles: fc.subarray(ROLES),
    isMinor: fc.boolean(),
    institution: fc.constantFrom(...INSTITUTIONS),
    id: patient,
    doctor: fc.constantFrom('dr-1', 'dr-2'),
    purposes: fc.uniqueArray(fc.constantFrom('TREAT', 'TREAT', 'ETREAT', 'HRESCH', 'CLINTRCHPC', 'HMARKT'), {
      maxLength: 2,
    }),
    types: mostly(
      9,
      '*.rs',
      '*.r',
      'Observation.rs Patient.rs Medication.rs',
      'Observation.rs?code=x',
      'Observation.rs?code=http://loinc.org|718-7,73211009',
      '*.rs?_security=PSY,R',
      'Observation.rs?code=86406008 Patient.rs',
    ),
    action: mostly<RandomRequest['action']>(6, 'read', 'disclose', 'count'),
    scope: mostly<RandomRequest['scope']>(4, 'r', 's'),
    instant: mostly(4, NOW, NOW + 999, NOW + 1000, NOW - 365 * 86_400_000, Date.UTC(2026, 0, 1)),

    represented: rarely(5, some(patient)),
    emergency: rarely(7, some(patient)),
  })
  .map(({ who, institution, id, doctor, types, purposes, roles, isMinor, ...rest }) => {
    const own = { institution: 'hospital-a', type: 'Patient', id };
    const practitioner = { institution, type: 'Practitioner', id: doctor };
    const bound = {
      system: {},
      user: { user: practitioner },
      patient: { patient: own, user: own },
      // A doctor's app with one patient open: its scopes are of both contexts.
      launch: { patient: own, user: practitioner },
      relative: { patient: own, user: { institution: 'hospital-a', type: 'RelatedPerson', id: 'r1' } },
    }[who];
    const father = 'hospital-a/RelatedPerson/r1';
    const represents = [father, `proxy ${father}`, ...(isMinor ? [`guardian ${father}`] : [])];
    const employed = roles.map((role) => `hospital-a/${role}`);
    const actingAs = who === 'patient' ? [] : who === 'relative' ? represents : employed;
    const home = who === 'patient' || who === 'launch' || who === 'relative' ? 'hospital-a' : institution;
    const contexts = who === 'launch' ? ['patient', 'user'] : who === 'relative' ? ['patient'] : [who];
    const scopes = types
      .split(' ')
      .map((type, index) => `${contexts[index % contexts.length]}/${type}`)
      .join(' ');
    return { ...rest, actingAs, principal: { institution: home, purposes, scopes, ...bound } };
  });

export const rounds: fc.Arbitrary<Round> = fc.record({
  consents: consents(3, 12),
  records,
  later: consents(0, 6),
  requests: fc.array(request, { minLength: 1, maxLength: 24, size: 'max' }),
});

/** The same round with ids that no other round has. */
export function materialise(round: Round, mark: string): Round {
  return JSON.parse(JSON.stringify(round).replaceAll('@', mark)) as Round;
}

/** First all first versions, then the second ones: each list is written at once. Ids are given by place. */
export function entriesOf(all: readonly Versions[], prefix: string): readonly (readonly Entry[])[] {
  const taken = new Set<string>();
  const named = all.map(({ institution, versions, deleted }, place) => {
    const patientId = `${prefix.slice(0, -1)}p${place % 4}`;
    const isPatient = versions[0]?.resourceType === 'Patient' && !taken.has(`${institution} ${patientId}`);
    if (isPatient) taken.add(`${institution} ${patientId}`);
    const id = isPatient ? patientId : `${prefix}${place}`;
    return versions.map((resource, index): Entry => {
      const last = deleted && index > 0 && index === versions.length - 1;
      return { institution, resource: { ...resource, id }, version: index + 1, deleted: last };
    });
  });
  return [0, 1].map((index) => named.flatMap((versions) => versions[index] ?? []));
}
