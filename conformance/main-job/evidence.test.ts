/** What somebody was given verifies offline, and nothing else does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRoots } from '../../src/cli/data-directory.ts';
import { MedSealError } from '../../src/errors.ts';
import { verifyEvidence } from '../../src/trail/evidence/verify.ts';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { type Random, seed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ANNA, cohort, consentOf, putCohort, recipient } from './cohort.ts';
import { startWorld } from './world.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
/** Flips of a larger file; of a small one every bit is tried. */
const SAMPLE = 20_000;
const HELD_BACK = { MEDSEAL_FAULT: 'content-before-put:error:1+' };

suite('evidence', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  const files = await temporaryDirectory();
  const rootsFile = join(world.node.dataDirectory, 'roots.json');
  const roots = readRoots(rootsFile);
  await putCohort(hospital, cohort());
  await hospital.put('Patient/small', { resourceType: 'Patient', id: 'small' });
  const small = await evidenceOf(hospital, 'Patient/small');

  /** `medseal verify`, as a process of its own. */
  async function verify(evidence: Buffer | string, ...args: readonly string[]) {
    const file = join(files, 'evidence.json');
    writeFileSync(file, evidence);
    const given = args.length > 0 ? args : ['--roots', rootsFile];
    const child = spawn(process.execPath, [CLI, 'verify', file, ...given], {
      // Nothing leads to a server: no network is needed.
      env: { PATH: process.env.PATH, MEDSEAL_DATA: join(files, 'nowhere') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (errors += text));
    const [code] = await once(child, 'close');
    return { code, output, errors };
  }

  test('verifies with `medseal verify`, which says what it establishes', async () => {
    const { code, output, errors } = await verify(small.text);
    assert.equal(code, 0, errors);
    assert.match(output, /^verified: hospital-a\/Patient\/small version 1\n {2}(?:create|update) at .* by hospital-a/);
    assert.match(output, /endorsed by .*self-attested/);
  });

  test('of updates, deletions, Chinese text and decimals, and of a Provenance whose anchor state is told', async () => {
    const text =
      '{"resourceType":"Observation","id":"text","status":"final","code":{"text":"血红蛋白 \\u2028 𠮷"},"valueQuantity":{"value":1.0}}';
    await hospital.put('Observation/text', text);
    await hospital.put('Observation/text', text.replace('1.0', '1.00'));
    await hospital.delete('Observation/text');
    for (const [version, content] of [
      [1, '"value":1.0}'],
      [2, '"value":1.00}'],
      [3, undefined],
    ] as const) {
      const evidence = await evidenceOf(hospital, 'Observation/text', version);
      const verified = verifyEvidence(Buffer.from(evidence.text), roots);
      assert.deepEqual([verified.record, verified.version], ['hospital-a/Observation/text', version]);
      if (content === undefined) assert.deepEqual([verified.resource, verified.interaction], [null, 'delete']);
      else assert.ok(verified.resource?.includes(content) && verified.resource.includes('血红蛋白 \u2028 𠮷'));
    }
    const [provenance] = (await hospital.get('Provenance?target=Observation/text/_history/1')).json<{
      entry: { resource: { id: string } }[];
    }>().entry;
    const about = await evidenceOf(hospital, `Provenance/${provenance?.resource.id}`);
    const stored = verifyEvidence(Buffer.from(about.text), roots).resource ?? '';
    assert.ok(stored.includes('Observation/text/_history/1') && !stored.includes('StructureDefinition/anchor'));
  });

  test('tells what was read: the bytes are those of a vread', async () => {
    const read = await hospital.get(`Observation/hb-2021-${ANNA}/_history/1`);
    const evidence = await evidenceOf(hospital, `Observation/hb-2021-${ANNA}`);
    assert.equal(verifyEvidence(Buffer.from(evidence.text), roots).resource, read.text);
  });

  test('any flipped bit of a small file is refused, with a reason', () => {
    assert.ok(small.text.length < 8192);
    assert.deepEqual(accepted(Buffer.from(small.text), bits(Buffer.from(small.text))), []);
  });

  test(`${SAMPLE} flipped bits of a larger file are refused`, async (t) => {
    const random = seed(t);
    const lines = Array.from({ length: 60 }, (_, n) => `王小明 ${n} "\\ ${random.bytes(20).toString('base64')}`);
    await hospital.put('Patient/large', { resourceType: 'Patient', id: 'large', address: [{ line: lines }] });
    const file = Buffer.from((await evidenceOf(hospital, 'Patient/large')).text);
    verifyEvidence(file, roots);
    assert.deepEqual(accepted(file, sample(random, file.length * 8, SAMPLE)), []);
  });

  test('bytes that are cut off, added, doubled or reordered are refused', () => {
    const file = small.text;
    const members = Object.entries(JSON.parse(file) as object);
    for (const [what, altered] of [
      ['cut off', file.slice(0, -1)],
      ['empty', ''],
      ['a line break', `${file}\n`],
      ['a byte order mark', `\ufeff${file}`],
      ['a space', file.replace(':', ': ')],
      ['a member more', file.replace('{', '{"a":1,')],
      ['a member twice', file.replace('{', '{"version":1,')],
      ['another order', JSON.stringify(Object.fromEntries(members.toReversed()))],
      ['an escape', file.replace('hospital-a', '\\u0068ospital-a')],
      ['another number format', file.replace('"version":1', '"version":1.0')],
      ['a list', `[${file}]`],
      ...members.map(
        ([name]) =>
          [`without ${name}`, JSON.stringify(Object.fromEntries(members.filter(([one]) => one !== name)))] as const,
      ),
      ...members.map(
        ([name]) =>
          [
            `null as ${name}`,
            JSON.stringify(Object.fromEntries(members.map(([one, value]) => [one, one === name ? null : value]))),
          ] as const,
      ),
    ] as const) {
      if (altered === file) continue;
      assert.match(reasonOf(Buffer.from(altered)) ?? 'accepted', /does not hold: /, what);
    }
  });

  test('parts of another record’s evidence do not fit', async () => {
    const other = JSON.parse((await evidenceOf(hospital, `Patient/${ANNA}`)).text) as Record<string, unknown>;
    const own = JSON.parse(small.text) as Record<string, unknown>;
    for (const name of Object.keys(own)) {
      if (JSON.stringify(own[name]) === JSON.stringify(other[name])) continue;
      const mixed = canonical({ ...own, [name]: other[name] });
      assert.match(reasonOf(Buffer.from(mixed)) ?? 'accepted', /does not hold/, name);
    }
  });

  test('a wholly re-signed forgery fails: other ledger identities, every signature good', async () => {
    const forger = await startWorld();
    await forger.as('hospital-a').put('Patient/small', { resourceType: 'Patient', id: 'small', active: true });
    const forged = await evidenceOf(forger.as('hospital-a'), 'Patient/small');
    const theirRoots = join(forger.node.dataDirectory, 'roots.json');
    assert.equal((await verify(forged.text, '--roots', theirRoots)).code, 0, 'by its own roots it holds');
    const { code, errors, output } = await verify(forged.text);
    assert.deepEqual([code, output], [1, '']);
    assert.match(errors, /medseal verify: The ledger's proof does not hold: it is of another ledger/);
    assert.match(
      reasonOf(Buffer.from(small.text), readRoots(theirRoots)) ?? 'accepted',
      /of another ledger/,
      'and the other way round',
    );
    // The channel is only a name: with the name of ours, signatures must still be theirs.
    const renamed = readRoots(theirRoots);
    const disguised = { ...roots, ledger: { ...roots.ledger, channel: renamed.ledger.channel } };
    assert.match(reasonOf(Buffer.from(forged.text), disguised) ?? 'accepted', /does not hold/);
  });

  test('the command fails with exit code 1 and a reason, and with 2 when it is misused', async () => {
    const altered = small.text.replace('"small\\"', '"smell\\"');
    assert.notEqual(altered, small.text);
    const { code, output, errors } = await verify(altered);
    assert.deepEqual([code, output], [1, '']);
    assert.match(errors, /is not what was logged and anchored/);
    assert.equal((await verify(small.text, '--roots', join(files, 'no-roots.json'))).code, 1);
    writeFileSync(
      join(files, 'bad-roots.json'),
      readFileSync(rootsFile, 'utf8').replace('medseal/roots/1', 'medseal/roots/2'),
    );
    assert.equal((await verify(small.text, '--roots', join(files, 'bad-roots.json'))).code, 1);
    assert.equal((await verify(small.text, '--nonsense')).code, 2);
  });

  test('is given to whoever may read that version, and to nobody else', async () => {
    const path = `Observation/hb-2021-${ANNA}/_history/1/$evidence`;
    for (const client of ['hospital-b', 'research-institute', 'patient:bert-000001']) {
      assert.equal((await world.as(client).get(path)).status, 404, client);
    }
    const patient = world.as(`patient:${ANNA}`);
    const own = await patient.get(path);
    assert.equal(own.status, 200);
    const answer = await patient.post(
      'Consent',
      consentOf(ANNA, { type: 'permit', actor: [recipient('research-institute')] }),
    );
    const theirs = await world.as('research-institute').get(path);
    assert.equal(theirs.text, own.text);
    await patient.delete(`Consent/${answer.json<{ id: string }>().id}`);
    assert.equal((await world.as('research-institute').get(path)).status, 404);
  });

  test('is not there before the anchor: 404 with Retry-After; the Provenance says pending, then anchored', async () => {
    await world.node.restart(HELD_BACK);
    assert.equal((await hospital.put('Patient/late', { resourceType: 'Patient', id: 'late' })).status, 201);
    const answer = await hospital.get('Patient/late/_history/1/$evidence');
    assert.equal(answer.status, 404, answer.text);
    assert.match(String(answer.headers['retry-after']), /^\d+$/);
    assert.ok(answer.text.includes('"not-yet-anchored"') && answer.text.includes('"incomplete"'), answer.text);
    assert.deepEqual(await anchorOf('Patient/late'), ['pending']);
    await world.node.restart({});
    await evidenceOf(hospital, 'Patient/late');
    assert.equal((await anchorOf('Patient/late'))[0], 'anchored');
  });

  async function anchorOf(target: string): Promise<readonly string[]> {
    const { entry } = (await hospital.get(`Provenance?target=${target}`)).json<{ entry: { resource: unknown }[] }>();
    const found = /"StructureDefinition\/anchor","extension":\[(.*?)\]/.exec(
      JSON.stringify(entry).replaceAll('https://medseal.org/fhir/', ''),
    )?.[1];
    return [...(found ?? '').matchAll(/"value\w+":"([^"]*)"/g)].map(([, value = '']) => value);
  }

  /** Why it is refused; undefined when it is not. */
  function reasonOf(file: Buffer, trusted = roots): string | undefined {
    try {
      verifyEvidence(file, trusted);
      return undefined;
    } catch (error) {
      if (error instanceof MedSealError && error.code === 'evidence-invalid') return error.message;
      throw error;
    }
  }

  /** The bits of which the flip is accepted, or refused without a reason. */
  function accepted(file: Buffer, flipped: Iterable<number>): readonly number[] {
    const found: number[] = [];
    for (const bit of flipped) {
      file.writeUInt8(file.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      if (!/does not hold: .{10}/.test(reasonOf(file) ?? '')) found.push(bit);
      file.writeUInt8(file.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    }
    return found;
  }
});

/** Once it is anchored. */
async function evidenceOf(client: FhirClient, name: string, version = 1): Promise<Answer> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await client.get(`${name}/_history/${version}/$evidence`);
    if (answer.status === 200) return answer;
    assert.match(answer.text, /not-yet-anchored/);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} was not anchored within 20 s`);
}

function* bits(file: Buffer): Generator<number> {
  for (let bit = 0; bit < file.length * 8; bit++) yield bit;
}

function* sample(random: Random, below: number, count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield random.integer(below);
}

/** RFC 8785, for the values that evidence has: members by name. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
