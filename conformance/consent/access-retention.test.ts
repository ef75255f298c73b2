/**
 * What is dropped of the access trail after its retention is gone and noted; all else still verifies; and what is missing
 * without such a note, or beyond it, is found.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { readConfig } from '../../src/config.ts';
import { change, remove, type Undo } from '../cli/damage.ts';
import { medseal } from '../cli/medseal.ts';
import { startScrubWorld } from '../cli/scrub-world.ts';
import { clientOf } from '../faults/node-records.ts';

const world = await startScrubWorld();
const { node, records } = world;
const hospital = clientOf(node, 'hospital-a');
const { dataDirectory } = node;

async function events(): Promise<readonly AuditEvent[]> {
  const answer = await hospital.get('AuditEvent?_count=1000');
  assert.equal(answer.status, 200, answer.text);
  return (answer.json<Bundle<AuditEvent>>().entry ?? []).flatMap(({ resource }) => resource ?? []);
}

async function rows(text: string): Promise<readonly unknown[]> {
  return (await records.query(text)).rows;
}

const drop = (before: string, ...more: readonly string[]) =>
  medseal(['access', 'drop', '--before', before, ...more], { dataDirectory });
const LEAVES = 'select institution, log, number, hash from leaf order by institution, log, number';
const BATCHES = `select institution, log, size, root, manifest, transaction_id, anchored_at from batch
  where sealed_at < $before$ order by institution, log, size`;

const before = await events();
await world.settle();
// By the clock that seals, so that all there is is older by a millisecond.
const [{ at: cutoff } = { at: '' }] = (await rows(
  `select to_char((max(sealed_at) + interval '1 millisecond') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
   from batch`,
)) as { at: string }[];
const [leaves, batches] = [await rows(LEAVES), await rows(BATCHES.replace('$before$', `'${cutoff}'`))];

test('without a reason, or for a time to come, nothing is dropped', async () => {
  assert.equal((await drop(cutoff)).exitCode, 2);
  assert.equal((await drop('soon', '--reason', 'x')).exitCode, 2);
  const tomorrow = await drop(new Date(Date.now() + 86_400_000).toISOString(), '--reason', 'x');
  assert.deepEqual([tomorrow.exitCode, /not to come/.test(tomorrow.stderr)], [1, true]);
  assert.match((await drop('2020-01-01', '--reason', 'x')).stdout, /nothing was to be dropped/);
  assert.equal((await rows('select from access_drop')).length, 0);
});

test('what is older is gone: not found, and no longer readable; the trail says so', async () => {
  const { exitCode, stdout, stderr } = await drop(cutoff, '--reason', 'ten years are over');
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^hospital-a: \d+ entries/m);
  const now = await events();
  const gone = before.filter((one) => !now.some(({ id }) => id === one.id));
  assert.deepEqual(gone, before, 'none of them is found');
  assert.equal((await hospital.get(`AuditEvent/${before.at(-1)?.id}`)).status, 404);
  const said = now.filter(({ subtype }) => subtype?.[0]?.code === 'drop-access');
  assert.equal(said.length, 1);
  const [{ action, agent, entity } = {} as AuditEvent] = said;
  assert.equal(action, 'D');
  assert.equal(agent?.[0]?.who?.identifier?.value, 'operator');
  const details = entity?.flatMap(({ detail = [] }) => detail.map(({ type, valueString }) => [type, valueString]));
  const [{ size } = { size: '' }] = (await rows('select size from access_drop')) as { size: string }[];
  assert.deepEqual(details, [
    ['remark', 'ten years are over'],
    ['dropped-leaves-below', size],
    ['dropped-before', cutoff],
  ]);
  assert.equal((await rows(`select from access_entry where at < '${cutoff}'`)).length, 0);
});

test('every leaf, root and anchor is still there, and the scrub finds nothing wrong', async () => {
  for (let reads = 0; reads < 3; reads++) await hospital.get('Patient/one');
  await world.settle();
  const left = new Set((await rows(LEAVES)).map((leaf) => JSON.stringify(leaf)));
  assert.deepEqual(
    leaves.filter((leaf) => !left.has(JSON.stringify(leaf))),
    [],
  );
  assert.deepEqual(await rows(BATCHES.replace('$before$', `'${cutoff}'`)), batches);
  assert.deepEqual((await world.scrub()).findings, []);
});

const DROPPED = '(select size from access_drop)';
const BEHIND = `(select access_id from leaf where log = 2 and number > ${DROPPED} order by number limit 1)`;
const NOTE = 'id_token = (select note from access_drop)';

const DRILLS: readonly (readonly [name: string, found: string, damage: () => Promise<Undo>])[] = [
  [
    'an entry behind what was dropped is missing',
    'leaf-without-row',
    () => remove(records, 'access_entry', `id = ${BEHIND}`),
  ],
  ['that anything was dropped is not noted', 'leaf-without-row', () => remove(records, 'access_drop', 'true')],
  [
    'more is noted as dropped than the trail says',
    'drop-not-noted',
    () => change(records, 'access_drop', 'true', { size: 'size + 1' }),
  ],
  ['the entry that says so is gone', 'drop-not-noted', () => remove(records, 'access_entry', NOTE)],
  [
    'another entry stands in its place',
    'drop-not-noted',
    () => change(records, 'access_drop', 'true', { note: `(select id_token from access_entry where id = ${BEHIND})` }),
  ],
  [
    'the leaf of that entry is another one',
    'drop-not-noted',
    () =>
      change(records, 'leaf', `access_id = (select id from access_entry where ${NOTE})`, { hash: `sha256('forged')` }),
  ],
  [
    'a leaf of what was dropped is altered',
    'batch-root-differs',
    () => change(records, 'leaf', 'log = 2 and number = 0', { hash: `sha256('x')` }),
  ],
  ['the keys of hours with entries are gone', 'access-key-missing', () => remove(records, 'access_segment', 'true')],
];

for (const [name, expected, damage] of DRILLS) {
  test(`${name}: it is found`, async () => {
    const undo = await damage();
    const { findings } = await world.scrub();
    await undo();
    assert.ok(
      findings.some(({ kind }) => kind === expected),
      JSON.stringify(findings.map(({ kind }) => kind)),
    );
    assert.deepEqual((await world.scrub()).findings, [], 'put back, nothing is found');
  });
}

test('a patient is not told of what was dropped, nor of the dropping', async () => {
  const patient = clientOf(node, 'patient:one');
  const answer = await patient.get('AuditEvent?_count=1000');
  assert.equal(answer.status, 200, answer.text);
  const seen = (answer.json<Bundle<AuditEvent>>().entry ?? []).flatMap(({ resource }) => resource ?? []);
  assert.ok(seen.length > 0);
  assert.ok(seen.every(({ recorded = '', subtype }) => recorded >= cutoff && subtype?.[0]?.code !== 'drop-access'));
});

test('a server that was told how long to keep entries starts with it, and not with nonsense', async () => {
  for (const days of ['0', '-1', '1.5', '10y'])
    assert.throws(() => readConfig({ MEDSEAL_ACCESS_RETENTION: days }), { code: 'invalid-configuration' });
  await node.restart({ MEDSEAL_ACCESS_RETENTION: '365' });
  assert.equal((await hospital.get('Patient/one')).status, 200);
  const tooSoon = await drop(cutoff, '--reason', 'by hand');
  assert.deepEqual([tooSoon.exitCode, /for 365 days/.test(tooSoon.stderr)], [1, true]);
  assert.deepEqual((await world.scrub()).findings, []);
});
