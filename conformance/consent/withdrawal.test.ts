/**
 * DESIGN §7: a withdrawal binds every request that begins after its acknowledgement. Through HTTP, with whatever the server
 * keeps in memory, while the same institute asks without a pause and the hospital writes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bundle, Consent } from '@medplum/fhirtypes';
import { consentOf, recipient } from '../main-job/cohort.ts';
import { startWorld, type World } from '../main-job/world.ts';
import { isSoak, type Random, seed } from '../support/seed.ts';

const TRIALS = Number(process.env.TRIALS ?? (isSoak ? 1000 : 25));
const PATIENT = 'withdrawing';
/** In every record of the patient, so that an answer that shows one has it. */
const MARK = 'http://example.org/mark';
const READERS = 3;

type Answered = (answer: { readonly status: number; readonly text: string }) => boolean;
const shows: Answered = ({ status, text }) => status === 200 && text.includes(MARK);
const counts: Answered = ({ text }) => ((JSON.parse(text) as Bundle).total ?? 0) > 0;

/** Every way there is to a record, and whether an answer shows one. */
const QUESTIONS: readonly (readonly [path: string, isShown: Answered, union?: boolean])[] = [
  ['Observation/o0', shows],
  ['Observation/o0/_history/1', shows],
  ['Observation/o0/_history', shows],
  [`Observation?patient=${PATIENT}&_count=3`, shows],
  [`Observation?patient=${PATIENT}&_summary=count`, counts],
  ['Observation?patient.identifier=urn:withdrawal|1&_count=2', shows],
  ['Patient?_has:Observation:patient:code=withdrawal&_count=2', shows],
  ['Observation?code=withdrawal&_count=2', shows, true],
];

test('no request that begins after a withdrawal was acknowledged shows a record', async (t) => {
  const random = seed(t);
  const world = await startWorld();
  await writeRecords(world);
  let after = 0;
  for (let trial = 0; trial < TRIALS; trial++) after += await withdraw(world, random, trial);
  t.diagnostic(`${TRIALS} withdrawals; ${after} requests begun after their acknowledgement showed nothing`);
  assert.ok(after >= TRIALS * READERS);
});

async function writeRecords(world: World): Promise<void> {
  const patient = { resourceType: 'Patient', id: PATIENT, identifier: [{ system: 'urn:withdrawal', value: '1' }] };
  const records = [
    { ...patient, meta: { tag: [{ system: MARK }] } },
    ...Array.from({ length: 5 }, (_, index) => observation(`o${index}`)),
  ];
  const entry = records.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const answer = await world.as('hospital-a').post('', { resourceType: 'Bundle', type: 'transaction', entry });
  assert.equal(answer.status, 200, answer.text);
}

function observation(id: string) {
  return {
    resourceType: 'Observation',
    id,
    meta: { tag: [{ system: MARK }] },
    status: 'final',
    code: { coding: [{ system: 'urn:code', code: 'withdrawal' }] },
    subject: { reference: `Patient/${PATIENT}` },
  };
}

/** @returns how many requests began after the acknowledgement */
async function withdraw(world: World, random: Random, trial: number): Promise<number> {
  const patient = world.as(`patient:${PATIENT}`);
  const granted = await patient.put('Consent/grant', consentTo('permit'));
  assert.ok(granted.status < 300, granted.text);
  for (const question of QUESTIONS) assert.equal(await asks(world, question), true, `granted, ${question[0]}`);

  const watch = watchWithdrawal(world, random);
  const writing = world.as('hospital-a').put(`Observation/o${1 + (trial % 4)}`, observation(`o${1 + (trial % 4)}`));
  // Somewhere among the requests.
  for (let turn = random.integer(30); turn > 0; turn--) await new Promise(setImmediate);
  const ways = [
    () => patient.put('Consent/grant', { ...consentTo('permit'), status: 'inactive' }),
    () => patient.put('Consent/grant', consentTo('deny')),
    () => patient.delete('Consent/grant'),
  ];
  const answer = await random.pick(ways)();
  watch.acknowledged();
  assert.ok(answer.status < 300, answer.text);
  const begun = await watch.end();
  assert.ok((await writing).status < 300);
  for (const question of QUESTIONS) assert.equal(await asks(world, question), false, `withdrawn, ${question[0]}`);
  return begun;
}

function consentTo(type: 'permit' | 'deny'): Consent {
  const { policyRule: _, ...consent } = consentOf(PATIENT, { type, actor: [recipient('research-institute')] });
  return { ...consent, id: 'grant' };
}

async function asks(world: World, [path, isShown, union]: (typeof QUESTIONS)[number]): Promise<boolean> {
  const institute = 'research-institute';
  return isShown(await (union ? world.asAtUnion(institute) : world.as(institute)).get(path));
}

function watchWithdrawal(world: World, random: Random) {
  let acknowledged = false;
  let asking = true;
  let after = 0;
  const loops = Array.from({ length: READERS }, async () => {
    while (asking) {
      const isAfter = acknowledged;
      const question = random.pick(QUESTIONS);
      const shown = await asks(world, question);
      if (!isAfter) continue;
      assert.equal(shown, false, question[0]);
      after += 1;
    }
  });
  return {
    acknowledged() {
      acknowledged = true;
    },
    async end() {
      while (after < READERS) await Promise.race([Promise.all(loops), new Promise(setImmediate)]);
      asking = false;
      await Promise.all(loops);
      return after;
    },
  };
}
