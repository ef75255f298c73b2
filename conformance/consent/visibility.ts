/**
 * A fixed world of patients who each consented in one way, and what each kind of requester sees of it: small enough to be
 * asked again of every altered view (lock-mutants.test.ts).
 */
import type { ConsentProvision } from '@medplum/fhirtypes';
import type { AccessRequest } from '../../src/consent/decide.ts';
import { type PrincipalSettings, settingsOf } from '../../src/repository/permitted.ts';
import type { Question } from './visibility-questions.ts';
import { contextOf, type Entry, NOW, type World } from './world.ts';

export const VISIBILITY_INSTITUTIONS = ['hospital-a', 'hospital-b', 'research'] as const;

const concept = (system: string, code: string) => ({ coding: [{ system, code }] });
const actor = (id: string) => ({
  role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
  reference: { reference: `Organization/${id}` },
});
const relative = (system: string, code: string) => ({
  role: concept(`http://terminology.hl7.org/CodeSystem/${system}`, code),
  reference: { reference: 'RelatedPerson/father' },
});
const byFather = { actor: [relative('v3-RoleClass', 'GUARD')] };
const notFather = { actor: [relative('v3-ParticipationType', 'IRCP'), actor('hospital-a')] };
const forB = { actor: [actor('hospital-b')] };
const purpose = (code: string) => ({
  purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code }],
});
const observations = { class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }] };
const permit = (more: object = {}) => ({ type: 'permit' as const, ...more });
const deny = (more: object = {}) => ({ type: 'deny' as const, ...more });

interface Terms {
  readonly rule?: 'OPTIN' | 'OPTOUT';
  readonly provision?: object;
}
const optIn = (provision?: object): Terms => ({ rule: 'OPTIN', ...(provision && { provision }) });
const optOut = (provision?: object): Terms => ({ rule: 'OPTOUT', ...(provision && { provision }) });
const root = (provision: object): Terms => ({ provision });

/** One patient each, with one Observation of the same name, and the consents. */
export const VISIBILITY_PATIENTS: Readonly<Record<string, readonly Terms[]>> = {
  none: [],
  open: [optIn()],
  shut: [optOut()],
  'for-b': [root(permit(forB))],
  'not-for-b': [optIn(deny(forB))],
  'not-observations': [root(deny(observations))],
  'not-encounters': [optIn(deny({ class: [{ ...observations.class[0], code: 'Encounter' }] }))],
  'research-on-observations': [root(permit({ ...purpose('HRESCH'), ...observations }))],
  'no-marketing': [optIn(deny(purpose('HMARKT')))],
  'exception-denies': [root(permit({ ...forB, provision: [deny(observations)] }))],
  'exception-permits': [root(deny({ ...observations, provision: [permit(forB)] }))],
  'siblings-tie': [root(deny({ provision: [permit(forB), deny(observations)] }))],
  'siblings-of-unequal-weight': [root(permit({ provision: [deny(), deny(observations)] }))],
  'shallow-deny-deep-permit': [root(deny(forB)), root(permit({ ...observations, provision: [permit(forB)] }))],
  'bases-differ': [optIn(), optOut()],
  'from-now': [optIn({ period: { start: '2024-06-15T12:00:00Z' } })],
  'from-a-second-later': [optIn({ period: { start: '2024-06-15T12:00:01Z' } })],
  'until-now': [optIn({ period: { end: '2024-06-15T11:59:59Z' } })],
  'deny-beside-open': [root(deny(observations)), optIn()],
  'no-emergency': [optIn(deny(purpose('ETREAT')))],
  'deep-permit-beside-no-emergency': [
    root(deny({ provision: [deny(purpose('ETREAT')), permit({ ...forB, provision: [permit(forB)] })] })),
  ],
  ward: [root(permit(byFather)), root(deny(observations))],
  'ward-but-not-of-father': [root(permit(byFather)), root(deny(notFather))],
  'merged-open': [optIn()],
  'merged-shut': [root(deny(forB))],
  'no-emergency-but-for-b': [root(deny({ ...purpose('ETREAT'), provision: [permit(forB)] }))],
};

const subjectOf = (name: string) => ({ reference: `Patient/${name}` });

const observationOf = (id: string, subject: string, ...performers: readonly string[]): Entry['resource'] => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: subjectOf(subject),
  ...(performers.length > 0 && { performer: performers.map(subjectOf) }),
});

/** What is there beside the patients' Observations. */
const OTHERS: readonly Entry['resource'][] = [
  observationOf('of-open-and-none', 'open', 'none'),
  observationOf('of-open-and-shut', 'open', 'shut'),
  observationOf('of-none-and-not-observations', 'none', 'not-observations'),
  { resourceType: 'Observation', id: 'of-somebody', status: 'final', code: { text: 'x' }, subject: { display: 'x' } },
  observationOf('lost-readers', 'open'),
  observationOf('now-denied', 'open'),
  {
    resourceType: 'Observation',
    id: 'laboratory',
    meta: { security: [{ system: 'urn:label', code: 'mine' }] },
    status: 'final',
    category: [concept('urn:category', 'laboratory')],
    code: { text: 'x' },
    subject: subjectOf('open'),
  },
  { resourceType: 'Group', id: 'group', type: 'person', actual: false },
  { resourceType: 'Location', id: 'location' },
];

/** Written after all consents, and seen like these by nobody here. */
const MERGED: Entry['resource'] = {
  resourceType: 'Patient',
  id: 'merged-open',
  link: [{ type: 'replaced-by', other: subjectOf('merged-shut') }],
};

/** The second version of one of these, which nobody sees. */
const DENIED: Entry['resource'] = {
  resourceType: 'Observation',
  id: 'now-denied',
  status: 'amended',
  code: { text: 'x' },
  subject: subjectOf('not-observations'),
};

/** Entries of the access trail: whose they are, and whom they are about. */
const TRAIL = [
  { name: 'trail-a', institution: 'hospital-a', patients: ['none', 'shut'] },
  { name: 'trail-a-nobody', institution: 'hospital-a', patients: [] },
  { name: 'trail-b', institution: 'hospital-b', patients: ['open'] },
];

/** Writes the fixed world at hospital-a. */
export async function writeVisibility(world: World): Promise<void> {
  const observationsOf = Object.keys(VISIBILITY_PATIENTS).map((name) => observationOf(name, name));
  const consents = Object.entries(VISIBILITY_PATIENTS).flatMap(([name, all]) =>
    all.map((terms, index) => consentOf(name, `${name}-${index}`, terms)),
  );
  const resources = [...observationsOf, ...OTHERS, ...consents];
  await world.write(resources.map((resource) => ({ institution: 'hospital-a', resource })));
  await world.write([{ institution: 'hospital-a', resource: MERGED }]);
  await world.write([{ institution: 'hospital-a', resource: DENIED, version: 2 }]);
  await world.database.query('writer', `update resource_current set readers = '{}' where id_token = $1`, [
    world.names.idToken('hospital-a/Observation/lost-readers'),
  ]);
  for (const { name, institution, patients } of TRAIL) {
    await world.database.query(
      'writer',
      `insert into access_entry (institution, id_token, at, patients, sealed, leaf_hash) values ($1, $2, $3, $4, '', '')`,
      [
        world.institutions.find(institution)?.id,
        world.names.idToken(`${institution}/AuditEvent/${name}`),
        new Date(NOW),
        patients.map((id) => world.names.idToken(`hospital-a/Patient/${id}`)),
      ],
    );
  }
}

function consentOf(patient: string, id: string, { rule, provision }: Terms): Entry['resource'] {
  return {
    resourceType: 'Consent',
    id,
    status: 'active',
    scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [{ text: 'x' }],
    patient: subjectOf(patient),
    ...(rule && { policyRule: concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', rule) }),
    ...(provision && { provision: provision as ConsentProvision }),
  };
}

export function settingsFor(world: World, question: Question): Readonly<Record<string, string>> {
  return settingsOf(principalFor(world, question));
}

function principalFor(world: World, question: Question): PrincipalSettings {
  const { institution = 'hospital-b', scopes = 'system/*.rs', purposes = ['TREAT'], instant = NOW } = question;
  const patient = question.patient && { institution: 'hospital-a', type: 'Patient', id: question.patient };
  const [type = '', id = ''] = question.user?.split('/') ?? [];
  const user = question.user === undefined ? patient : { institution, type, id };
  const context = contextOf(
    { institution, scopes, purposes, ...(patient && { patient }), ...(user && { user }) },
    { instant, actingAs: question.actingAs ?? [] },
  );
  const resolved = world.principals.accessRequest(context, 'read', 'r');
  const compartment = question.compartment?.map((name) => world.names.name('hospital-a', 'Patient', name));
  const { emergency = false } = question;
  const request: AccessRequest = compartment === undefined ? resolved : { ...resolved, emergency, compartment };
  return world.principals.settings(context, request);
}

/** The name of everything in the world but the Consents, by id token. */
export function namesByIdToken(world: World): ReadonlyMap<string, string> {
  const all = [
    ...Object.keys(VISIBILITY_PATIENTS).map((id) => `Observation/${id}`),
    ...OTHERS.map((one) => `${one.resourceType}/${one.id}`),
  ];
  const trail = TRAIL.map(({ institution, name }) => `${institution}/AuditEvent/${name}`);
  return new Map(
    [...all.map((name) => `hospital-a/${name}`), ...trail].map((name) => [
      world.names.idToken(name),
      name.split('/')[2] ?? '',
    ]),
  );
}
