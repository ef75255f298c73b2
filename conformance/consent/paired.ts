/**
 * The paired-world test (DESIGN §7): two databases that differ only in what the requester is not permitted to see, with
 * the same ids and one frozen clock. Whatever is asked, both must answer the same, byte for byte.
 */
import assert from 'node:assert/strict';
import { type MedSealError, MedSealError as RequestError } from '../../src/errors.ts';
import { terminologyOf } from '../../src/fhir/terminology/content.ts';
import { packagedTerminology } from '../../src/fhir/terminology/packaged.ts';
import { history, parseHistory } from '../../src/interactions/history.ts';
import { everything } from '../../src/interactions/operations/everything.ts';
import { lastN } from '../../src/interactions/operations/last-n.ts';
import { collectedMeta, instanceMeta } from '../../src/interactions/operations/meta.ts';
import { queryPairs } from '../../src/interactions/query-text.ts';
import { read, readVersion } from '../../src/interactions/read.ts';
import { createCursors } from '../../src/interactions/search/cursor.ts';
import { search } from '../../src/interactions/search/search.ts';
import type { Services } from '../../src/interactions/services.ts';
import type { RequestContext } from '../../src/request-context.ts';
import { createSources } from '../../src/sealing/blind-index/sources.ts';
import { noCustomParameters } from '../support/search-parameters.ts';
import type { Random } from '../support/seed.ts';
import { contextOf, type Entry, PUBLIC_URL, type World } from './world.ts';

export const PAIRED_INSTITUTIONS = ['hospital-a', 'hospital-b', 'research'] as const;

const VISIBLE = ['v0', 'v1', 'v2', 'v3'];
/** Patients of whom each world has another half, and nobody's of hers. */
const HIDDEN = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5'];
const CODES = ['718-7', '7917-8', '2345-7'];
const FAMILIES = ['Zhang', 'Zhao', 'Wang', 'Müller'];

/** What both worlds have: patients who permit everybody something, with records. */
function shared(random: Random): readonly Entry[] {
  return VISIBLE.flatMap((id) => [...recordsOf(id, random), consentOf(id)].map((resource) => at(resource)));
}

/** What only one of them has, and nobody may see. */
function hiddenOf(world: 0 | 1, random: Random): readonly Entry[] {
  const ids = HIDDEN.filter((_, index) => index % 2 === world);
  const more = world === 0 ? ids : [...ids, ...ids.map((id) => `${id}-too`)];
  return more.flatMap((id) => recordsOf(id, random).map((resource) => at(resource)));
}

function at(resource: Entry['resource']): Entry {
  return { institution: 'hospital-a', resource };
}

function recordsOf(id: string, random: Random): readonly Entry['resource'][] {
  const subject = { reference: `Patient/${id}` };
  const pick = <T>(items: readonly T[]): T => random.pick(items);
  const observations = Array.from({ length: 2 + random.integer(4) }, (_, index): Entry['resource'] => ({
    resourceType: 'Observation',
    id: `${id}-o${index}`,
    status: 'final',
    category: [{ coding: [{ system: 'urn:category', code: pick(['laboratory', 'vital-signs']) }] }],
    code: { coding: [{ system: 'http://loinc.org', code: pick(CODES) }] },
    subject,
    effectiveDateTime: `20${10 + random.integer(14)}-0${1 + random.integer(9)}-11`,
    performer: [{ reference: `Practitioner/d${random.integer(3)}` }],
  }));
  return [
    {
      resourceType: 'Patient',
      id,
      identifier: [{ system: 'urn:card', value: `card-${id}` }],
      name: [{ family: pick(FAMILIES), given: [id] }],
      gender: pick(['female', 'male'] as const),
      birthDate: `19${50 + random.integer(50)}-02-03`,
    },
    ...observations,
    {
      resourceType: 'Condition',
      id: `${id}-c`,
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: pick(['E11.9', 'I10']) }] },
      subject,
    },
    {
      resourceType: 'Encounter',
      id: `${id}-e`,
      status: 'finished',
      class: { code: 'AMB' },
      subject,
      period: { start: '2021-05-30', end: '2021-06-02' },
    },
  ];
}

function consentOf(id: string): Entry['resource'] {
  const codeable = (system: string, code: string) => ({ coding: [{ system, code }] });
  return {
    resourceType: 'Consent',
    id: `${id}-consent`,
    status: 'active',
    scope: codeable('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [{ text: 'x' }],
    patient: { reference: `Patient/${id}` },
    policyRule: codeable('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN'),
    ...(id === 'v3' && {
      provision: { type: 'deny', class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Condition' }] },
    }),
  };
}

/** Hidden records come before, between and after the shared ones, as they would. */
export async function fillWorld(world: World, which: 0 | 1, random: Random, hidden: Random): Promise<void> {
  const common = shared(random);
  const secret = hiddenOf(which, hidden);
  const middle = Math.floor(secret.length / 2);
  await world.write(secret.slice(0, middle));
  for (let from = 0; from < common.length; from += 5) {
    await world.write(common.slice(from, from + 5));
    await world.write(secret.slice(middle + from / 5, middle + from / 5 + 1));
  }
  await world.write(secret.slice(middle + Math.ceil(common.length / 5)));
}

type Request = (world: World, services: Services) => Promise<unknown>;

const TYPES = ['Patient', 'Observation', 'Condition', 'Encounter', 'Consent', 'Location'];

const QUESTIONS: readonly ((r: Random, id: string) => string)[] = [
  () => '',
  (_, id) => `_id=${id}`,
  (_, id) => `identifier=urn:card|card-${id}`,
  (r) => `family=${r.pick(FAMILIES)}`,
  (r) => `family=${r.pick(['Z', 'Zh', 'W'])}&_sort=${r.pick(['', '-'])}birthdate`,
  (r) => `gender=${r.pick(['female', 'male'])}&_sort=family`,
  (r) => `birthdate=${r.pick(['ge', 'lt', 'sa', ''])}19${50 + r.integer(50)}`,
  (r) => `_has:Observation:patient:code=${r.pick(CODES)}`,
  (_, id) => `_has:Observation:patient:_id=${id}-o0`,
  (r) => `code=http://loinc.org|${r.pick(CODES)}`,
  (r) => `code=${r.pick(CODES)}&_sort=-date`,
  (_, id) => `patient=${id}`,
  (_, id) => `subject=Patient/${id}&category=laboratory`,
  (r) => `date=${r.pick(['ge', 'le', 'gt', ''])}20${10 + r.integer(14)}`,
  (r) => `patient.family=${r.pick(FAMILIES)}`,
  (r) => `patient.gender=female&code=${r.pick(CODES)}`,
  (_, id) => `patient.identifier=card-${id}`,
  (_, id) => `patient:Patient._id=${id}`,
  (r) => `performer=Practitioner/d${r.integer(3)}`,
  () => 'code:not=http://loinc.org|718-7',
  () => 'patient:missing=false',
  (_, id) => `_list=${id}`,
  () => 'patient.family:contains=an',
  (r) => `patient._has:Condition:patient:code=${r.pick(['E11.9', 'I10'])}&_total=accurate`,
  (r) => `_has:Observation:patient:patient._has:Observation:patient:code=${r.pick(CODES)}`,
  () => 'patient.gender:in=http://hl7.org/fhir/ValueSet/administrative-gender',
  () => 'family:contains=an&_count=2&_total=accurate',
  () => 'code:below=http://hl7.org/fhir/sid/icd-10|E11',
  (r) => `_summary=${r.pick(['true', 'text', 'data', 'false'])}&_elements=code`,
  (r) => `_include=*&_revinclude=*&_count=${1 + r.integer(5)}`,
  (_, id) => `_id=${id}&_revinclude=Observation:patient&_include:iterate=Observation:performer`,
  (r) => `_include=Observation:patient&_revinclude:iterate=Condition:patient&code=${r.pick(CODES)}`,
  (r) => `_lastUpdated=${r.pick(['ge', 'lt'])}2024-06`,
];

/** An operation's request without a body or conditions. */
const BARE = { body: undefined, handling: 'strict', ifMatch: undefined, idempotent: undefined } as const;

/** One random request: whom it is by, and what it asks. */
function requestOf(random: Random): Request {
  const id = random.pick([...VISIBLE, ...HIDDEN, 'nobody', 'h1-too']);
  const name = random.pick([
    `Patient/${id}`,
    `Observation/${id}-o0`,
    `Condition/${id}-c`,
    `Encounter/${id}-e`,
    `Consent/${id}-consent`,
  ]);
  const [type = '', own = ''] = name.split('/');
  const context = contextFor(random);
  const conditions = { noneMatch: [], modifiedSince: undefined };
  const kind = random.integer(10);
  if (kind === 0) return (_, services) => read(services, context(), type, own, conditions);
  if (kind === 1) return (_, services) => readVersion(services, context(), type, own, '1', conditions);
  if (kind === 2) {
    const scope = random.pick([
      { type, id: own },
      { type, id: undefined },
      { type: undefined, id: undefined },
    ]);
    const parameters = parseHistory(queryPairs(random.pick(['', '_count=2', '_since=2024', '_at=2024'])), 'strict');
    return (_, services) => history(services, context(), { ...scope, ...parameters });
  }
  if (kind === 3) {
    const asked = queryPairs(random.pick(['', '_count=2', '_type=Observation,Patient', '_since=2024']));
    const request = { type: 'Patient', id, pairs: asked, ...BARE };
    const operation = random.pick([everything, everything, lastN, collectedMeta, instanceMeta]);
    if (operation === lastN) {
      const last = queryPairs(`patient=${id}&code=${random.pick(CODES)}&max=${1 + random.integer(3)}`);
      return (_, services) => lastN(services, context(), { ...request, pairs: last });
    }
    const given = operation === everything ? request : { ...request, type, id: own, pairs: [] };
    return (_, services) => operation(services, context(), given);
  }
  const control = random.pick(['', '', '_count=1', '_count=3', '_summary=count', '_total=accurate&_count=1']);
  const asked = random.pick(QUESTIONS)(random, id);
  const pairs = queryPairs([asked, control].filter(Boolean).join('&'));
  const searched = random.pick(TYPES);
  return async (_, services) => {
    const given = { type: searched, handling: 'lenient', posted: random.seed % 2 === 0 } as const;
    const first = await search(services, context(), { ...given, pairs });
    const next = /_cursor=([\w.-]+)"/.exec(String(first.body))?.[1];
    // The next page too, where there is one.
    const more =
      next === undefined ? undefined : await search(services, context(), { ...given, pairs: [['_cursor', next]] });
    return [first, more];
  };
}

function contextFor(random: Random): () => RequestContext {
  const principal = random.pick([
    { institution: 'research', scopes: 'system/*.rs', purposes: ['HRESCH'] },
    { institution: 'hospital-b', scopes: 'system/*.rs', purposes: ['TREAT'] },
    { institution: 'hospital-b', scopes: 'system/*.rs', purposes: [] },
    { institution: 'research', scopes: 'system/Observation.rs?code=718-7 system/Patient.rs', purposes: ['HRESCH'] },
    {
      institution: 'hospital-a',
      scopes: 'patient/*.rs',
      purposes: ['PATRQT'],
      patient: { institution: 'hospital-a', type: 'Patient', id: 'v1' },
      user: { institution: 'hospital-a', type: 'Patient', id: 'v1' },
    },
  ]);
  const base = random.pick([{ kind: 'institution', institution: 'hospital-a' }, { kind: 'union' }] as const);
  return () => contextOf(principal, { base });
}

function servicesOf(world: World): Services {
  const { guarded, registry, tokenizer, names, institutions } = world;
  const cursors = createCursors(Buffer.alloc(32, 7), (length) => Buffer.alloc(length, 5));
  const services: Partial<Services> = {
    reader: guarded,
    registry,
    custom: noCustomParameters(registry),
    terminology: () => packagedTerminology(terminologyOf([], [])),
    tokenizer,
    names,
    institutions,
    cursors,
    sourcesOf: createSources(),
    publicUrl: PUBLIC_URL,
  };
  return services as Services;
}

export interface PairedTally {
  readonly requests: number;
  /** Answers that show something. */
  readonly answered: number;
}

/** @throws AssertionError for the first request that the two worlds answer differently */
export async function compareWorlds(
  worlds: readonly [World, World],
  requests: number,
  random: Random,
): Promise<PairedTally> {
  const [one, other] = worlds.map(servicesOf) as [Services, Services];
  let answered = 0;
  for (let count = 0; count < requests; count++) {
    const request = requestOf(random);
    const [first, second] = await Promise.all([answerOf(request, worlds[0], one), answerOf(request, worlds[1], other)]);
    assert.equal(first, second);
    if (/"resource(Type)?":|"total":[1-9]/.test(first) && !/^error/.test(first)) answered += 1;
  }
  return { requests, answered };
}

/** Everything that goes out, as text: an error is its code, its status and what it says. */
async function answerOf(request: Request, world: World, services: Services): Promise<string> {
  try {
    return serialise(await request(world, services));
  } catch (error) {
    if (!(error instanceof RequestError) || error.status >= 500) throw error;
    const { code, status, message, issues } = error as MedSealError;
    return `error ${JSON.stringify({ code, status, message, issues })}`;
  }
}

function serialise(value: unknown): string {
  return (
    JSON.stringify(value, (_, part) => (isBytes(part) ? Buffer.from(part.data).toString('utf8') : part))
      .replaceAll('\\"', '"')
      // What is sealed differs where what it seals differs, such as a row's number: its length is what shows.
      .replaceAll(/_cursor=([\w.-]+)/g, (__, cursor: string) => `_cursor=<${cursor.length}>`)
  );
}

function isBytes(part: unknown): part is { readonly data: readonly number[] } {
  return typeof part === 'object' && part !== null && (part as { type?: unknown }).type === 'Buffer';
}
