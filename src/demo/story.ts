import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bundle } from '@medplum/fhirtypes';
import type { Connection } from '../cli/connection.ts';
import { readRoots } from '../cli/data-directory.ts';
import { verifyEvidence } from '../trail/evidence/verify.ts';
import { researchConsent } from './consent.ts';
import { EXAMPLE_OWNERS, type ExampleOwner, exampleTransaction, STORY_PATIENT } from './examples.ts';
import { type Answer, type FhirClient, fhirClient } from './fhir-client.ts';
import { DIRECTORY_CLIENT, INSTITUTIONS } from './participants.ts';

/** One step of the story: what is done, and what came of it. */
export interface Step {
  readonly title: string;
  run(scene: Scene): Promise<StepOutcome>;
}

export interface StepOutcome {
  /** HTTP status, or undefined for a step without HTTP. */
  readonly status: number | undefined;
  readonly detail: string;
}

/** A step did not come out as told. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** Who acts. */
export interface Scene {
  readonly connection: Connection;
  readonly signal: AbortSignal;
  as(name: string, institution?: string): Promise<FhirClient>;
  /** Evidence fetched by one step and verified by the next. */
  evidence: Buffer | undefined;
}

export function createScene(connection: Connection, signal: AbortSignal): Scene {
  return {
    connection,
    signal,
    as: (name, institution = 'hospital-a') => fhirClient(connection, name, institution, signal),
    evidence: undefined,
  };
}

const CONSENT = 'Consent/demonstration';
const PATIENT = `Patient/${STORY_PATIENT}`;
const RESULTS = `Observation?patient=${PATIENT}&_count=100`;
const CONDITIONS = `Condition?patient=${PATIENT}&_count=100`;
/** How long an anchor may take before the story says that it does not come, milliseconds. */
const ANCHOR_LIMIT = 30_000;

export const STORY: readonly Step[] = [
  {
    title: 'the hospitals push HL7’s example records',
    async run(scene) {
      await putOrganizations(scene);
      await withdrawEarlierConsent(scene);
      const pushed = [];
      for (const owner of EXAMPLE_OWNERS) pushed.push(await push(scene, owner));
      return { status: 200, detail: `${pushed.join(', ')}; sealed and kept` };
    },
  },
  { title: 'research-institute asks for a patient of hospital-a', run: expectNothing },
  {
    title: 'the patient permits research on Patient and Observation',
    run: (scene) => putConsent(scene, 'active'),
  },
  { title: 'research-institute asks again', run: expectPermitted },
  { title: 'the patient withdraws', run: (scene) => putConsent(scene, 'inactive') },
  { title: 'research-institute asks once more', run: expectNothing },
  { title: 'the patient fetches the evidence of the record', run: fetchEvidence },
  { title: 'medseal verify: offline, against the pinned roots', run: verify },
];

async function putOrganizations(scene: Scene): Promise<void> {
  for (const institution of INSTITUTIONS) {
    const writer = institution === DIRECTORY_CLIENT.institution ? DIRECTORY_CLIENT.id : institution;
    const name = institution.replace(/^./, (letter) => letter.toUpperCase()).replace('-', ' ');
    const organization = { resourceType: 'Organization', id: institution, active: true, name };
    const client = await scene.as(writer, institution);
    expectStatus(await client.put(`Organization/${institution}`, organization), [200, 201]);
  }
}

/** Of a story that was cut short. */
async function withdrawEarlierConsent(scene: Scene): Promise<void> {
  const patient = await scene.as(`patient:${STORY_PATIENT}`);
  const { status, body } = await patient.get(CONSENT);
  if (status !== 200 || JSON.parse(body.toString('utf8')).status !== 'active') return;
  await putConsent(scene, 'inactive');
}

async function push(scene: Scene, owner: ExampleOwner): Promise<string> {
  const { text, resources } = exampleTransaction(owner);
  const client = await scene.as(owner, owner);
  expectStatus(await client.post('', text), [200]);
  return `${resources} to ${owner}`;
}

/** Nothing tells a record that is not permitted from one that does not exist. */
async function expectNothing(scene: Scene): Promise<StepOutcome> {
  const researcher = await scene.as('research-institute');
  const hidden = await researcher.get(PATIENT);
  expectStatus(hidden, [404]);
  const absent = await researcher.get('Patient/does-not-exist');
  if (!hidden.body.equals(absent.body))
    throw new StoryError('the answer tells the record from one that does not exist', 404);
  const results = await found(researcher, RESULTS);
  if (results > 0) throw new StoryError(`${results} observations were shown without a consent`, 200);
  return { status: hidden.status, detail: 'just as for one that does not exist; 0 observations' };
}

async function expectPermitted(scene: Scene): Promise<StepOutcome> {
  const researcher = await scene.as('research-institute');
  const shown = await researcher.get(PATIENT);
  expectStatus(shown, [200]);
  const custodian = await scene.as('hospital-a');
  const [all, results, conditions] = [
    await found(custodian, RESULTS),
    await found(researcher, RESULTS),
    await found(researcher, CONDITIONS),
  ];
  if (results !== all) throw new StoryError(`${results} of ${all} observations are shown`, 200);
  if (conditions > 0) throw new StoryError(`${conditions} conditions are shown, which were not permitted`, 200);
  return { status: shown.status, detail: `the patient, ${results} of ${all} observations, no conditions` };
}

async function putConsent(scene: Scene, status: 'active' | 'inactive'): Promise<StepOutcome> {
  const patient = await scene.as(`patient:${STORY_PATIENT}`);
  const [, id = ''] = CONSENT.split('/');
  const answer = await patient.put(CONSENT, researchConsent(id, STORY_PATIENT, status, new Date().toISOString()));
  expectStatus(answer, [200, 201]);
  const version = /\/_history\/(\d+)$/.exec(
    answer.headers.get('location') ?? answer.headers.get('content-location') ?? '',
  )?.[1];
  return { status: answer.status, detail: `${CONSENT}, version ${version}, is ${status}` };
}

async function fetchEvidence(scene: Scene): Promise<StepOutcome> {
  const patient = await scene.as(`patient:${STORY_PATIENT}`);
  const began = performance.now();
  for (;;) {
    const answer = await patient.get(`${PATIENT}/_history/1/$evidence`);
    const seconds = (performance.now() - began) / 1000;
    if (answer.status === 200) {
      scene.evidence = answer.body;
      return { status: 200, detail: `${PATIENT}, version 1, anchored` };
    }
    const retryAfter = Number(answer.headers.get('retry-after'));
    if (!(retryAfter > 0) || seconds * 1000 > ANCHOR_LIMIT) expectStatus(answer, [200]);
    await delay(Math.min(retryAfter * 1000, 500), undefined, { signal: scene.signal });
  }
}

async function verify(scene: Scene): Promise<StepOutcome> {
  const roots = readRoots(join(scene.connection.directory, 'roots.json'));
  const { record, version, anchor } = verifyEvidence(scene.evidence ?? Buffer.alloc(0), roots);
  if (record !== `hospital-a/${PATIENT}` || version !== 1) throw new StoryError('the evidence is of another record');
  return { status: undefined, detail: `log of ${anchor.size} leaves, block ${anchor.block}, ${anchor.assurance}` };
}

/** How many matches a search has; nothing permitted is an empty Bundle. */
async function found(client: FhirClient, search: string): Promise<number> {
  const answer = await client.get(search);
  expectStatus(answer, [200]);
  const { entry = [] } = JSON.parse(answer.body.toString('utf8')) as Bundle;
  return entry.filter((one) => one.search?.mode !== 'outcome').length;
}

function expectStatus({ status, body }: Answer, expected: readonly number[]): void {
  if (expected.includes(status)) return;
  const issue = issueOf(body);
  const why = issue === undefined ? '' : `: ${issue}`;
  throw new StoryError(`${expected.join(' or ')} was expected${why}`, status);
}

/** What our own OperationOutcome says; it never quotes a record. */
function issueOf(body: Buffer): string | undefined {
  try {
    return JSON.parse(body.toString('utf8')).issue?.[0]?.diagnostics;
  } catch {
    // Not JSON: nothing to tell.
    return undefined;
  }
}
