import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cachedToken, type FhirClient, fhirClient } from '../support/fhir-client.ts';
import { SHARED_BUNDLES, sharedBundles, sharedBundlesAbsent } from '../support/sample-data.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { medseal } from './medseal.ts';

interface Bundle {
  readonly entry: readonly {
    readonly resource: { readonly resourceType: string };
    readonly request: { readonly ifNoneExist?: string };
  }[];
}

const SECRET = 'Zebulon';

function clientOf(node: TestNode, name = 'hospital-a'): FhirClient {
  return fhirClient(
    `${node.url}/hospital-a/fhir`,
    cachedToken(() => node.token(name)),
  );
}

async function total(client: FhirClient, search: string): Promise<number> {
  const answer = await client.get(`${search}${search.includes('?') ? '&' : '?'}_summary=count`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json<{ total: number }>().total;
}

test('all synthetic bundles; kill -9 of everything in the middle; resumed: each resource once, nothing to report', {
  skip: sharedBundlesAbsent,
}, async (t) => {
  const node = await startTestNode(t, { database: 'embedded' });
  const base = `${node.url}/hospital-a/fhir`;
  const journal = join(node.dataDirectory, '..', 'journal.jsonl');
  const args = ['import', '--base', base, '--journal', journal, SHARED_BUNDLES];
  const acknowledged = () => readLines(journal).filter((line) => line.includes('"acknowledged"')).length;

  let importer = 0;
  const first = medseal(args, {
    dataDirectory: node.dataDirectory,
    onStart: (pid) => {
      importer = pid;
    },
  });
  await until('some bundles are in', () => acknowledged() >= 2, 120_000);
  process.kill(importer, 'SIGKILL');
  await node.kill9();
  assert.equal((await first).exitCode, null);
  const before = acknowledged();
  await node.restart();

  const second = await medseal(args, { dataDirectory: node.dataDirectory });
  assert.equal(second.exitCode, 0, second.stdout + second.stderr);
  assert.match(second.stdout, new RegExp(`^${before} items were acknowledged before`, 'm'));
  await everyResourceOnce(clientOf(node));
  await until('every version is anchored', async () => {
    const { stdout, exitCode } = await medseal(['scrub'], { dataDirectory: node.dataDirectory });
    assert.equal(exitCode, 0, stdout);
    const [, batches, anchored] = /batches +(\d+) +(\d+) anchored/.exec(stdout) ?? [];
    return stdout.includes(', 0 pending') && batches === anchored;
  });
});

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    // Not there yet.
    return [];
  }
}

/**
 * By type, as many as the bundles hold. Of types that are also created conditionally at most as many: which of them are
 * there already depends on the order in which Bundles came in.
 */
async function everyResourceOnce(client: FhirClient): Promise<void> {
  const counts = new Map<string, number>();
  const conditional = new Set<string>();
  for (const { bytes } of sharedBundles()) {
    const { entry } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Bundle;
    for (const { resource, request } of entry) {
      counts.set(resource.resourceType, (counts.get(resource.resourceType) ?? 0) + 1);
      if (request.ifNoneExist !== undefined) conditional.add(resource.resourceType);
    }
  }
  for (const [type, count] of counts) {
    // The server writes Provenances of its own, about what it accepted.
    if (type === 'Provenance') continue;
    const found = await total(client, type);
    assert.ok(conditional.has(type) ? found > 0 && found <= count : found === count, `${type}: ${found} of ${count}`);
  }
}

const node = await startTestNode({ after: (hook) => after(hook) });
const { dataDirectory } = node;
const base = `${node.url}/hospital-a/fhir`;
const directory = await temporaryDirectory();

const patient = (id: string) => JSON.stringify({ resourceType: 'Patient', id, name: [{ family: SECRET }] });
const observation = (id: string, subject: string) =>
  JSON.stringify({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: SECRET },
    subject: { reference: subject },
  });

test('files, compressed files, lines, directories and standard input', async () => {
  await mkdir(join(directory, 'tree', 'inner'), { recursive: true });
  await writeFile(join(directory, 'tree', 'one.json'), patient('tree-one'));
  await writeFile(join(directory, 'tree', 'ignored.txt'), 'not to be read');
  const lines = `${patient('tree-two')}\n${observation('tree-three', 'Patient/tree-two')}\n`;
  await writeFile(join(directory, 'tree', 'inner', 'two.ndjson.gz'), gzipSync(lines));
  const collection = `{"resourceType":"Bundle","type":"collection","entry":[
    {"fullUrl":"urn:uuid:9b9f1f0e-0000-4000-8000-000000000001","resource":${patient('tree-four')}},
    {"resource":${observation('tree-five', 'urn:uuid:9b9f1f0e-0000-4000-8000-000000000001')}}]}`;
  const run = await medseal(['import', '--base', base, join(directory, 'tree'), '-'], {
    dataDirectory,
    input: collection,
  });
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /4 items, 5 resources/);
  assert.match(run.stdout, /^ +Observation +2 +0$/m);
  const client = clientOf(node);
  assert.equal(await total(client, 'Patient?_id=tree-one,tree-two,tree-four'), 3);
  assert.equal(await total(client, 'Observation?patient=Patient/tree-four'), 1);
});

test('a reference to what comes later, from standard input too', async () => {
  const transaction = JSON.stringify({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        resource: JSON.parse(observation('later', 'Patient?_id=later-patient')),
        request: { method: 'PUT', url: 'Observation/later' },
      },
    ],
  });
  const input = `${transaction}\n${patient('later-patient')}\n`;
  const run = await medseal(['import', '--base', base, '--concurrency', '1', '-'], { dataDirectory, input });
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  assert.match(run.stderr, /round 2: 1 items/);
  assert.equal(await total(clientOf(node), 'Observation?patient=Patient/later-patient'), 1);
});

test('what fails is told by type, code and element, with no value; the exit code says so; a repetition doubles nothing', async () => {
  const file = join(directory, 'some.ndjson');
  const posted = { resourceType: 'Basic', code: { text: SECRET } };
  const wrong = { resourceType: 'Observation', status: 'final', code: { text: SECRET }, valueInteger: SECRET };
  await writeFile(file, [posted, wrong].map((one) => JSON.stringify(one)).join('\n'));
  const token = await node.token('hospital-a');
  const args = ['import', '--base', base, '--token', token, file];
  const run = await medseal(args, { dataDirectory });
  assert.equal(run.exitCode, 1);
  assert.match(run.stdout, /^ +Basic +1 +0$/m);
  assert.match(run.stdout, /^ +Observation +0 +1$/m);
  assert.match(run.stdout, /^ +1 +invalid-resource +Observation\.value +.*some\.ndjson#2$/m);
  assert.ok(!(run.stdout + run.stderr).includes(SECRET));
  for (const name of readdirSync(join(dataDirectory, 'imports'))) {
    assert.ok(!readFileSync(join(dataDirectory, 'imports', name), 'utf8').includes(SECRET));
  }
  const again = await medseal([...args, '--restart'], { dataDirectory });
  assert.equal(again.exitCode, 1);
  assert.equal(await total(clientOf(node), 'Basic'), 1);
});

test('Ctrl-C ends it cleanly, and the same command goes on from there', async () => {
  const file = join(directory, 'many.ndjson');
  const count = 400;
  await writeFile(file, Array.from({ length: count }, (_, index) => patient(`many-${index}`)).join('\n'));
  const journal = join(directory, 'many.jsonl');
  const args = ['import', '--base', base, '--client', 'hospital-a', '--journal', journal, file];
  let pid = 0;
  const running = medseal(args, {
    dataDirectory,
    onStart: (started) => {
      pid = started;
    },
  });
  await until('some are in', () => readLines(journal).length > 10);
  process.kill(pid, 'SIGINT');
  // A terminal and npx both pass it on.
  process.kill(pid, 'SIGINT');
  const stopped = await running;
  assert.equal(stopped.exitCode, 130, stopped.stderr);
  assert.match(stopped.stderr, /The same command goes on from here/);
  const recorded = readLines(journal).filter((line) => line.includes('"acknowledged"')).length;
  assert.ok(recorded < count, String(recorded));
  const resumed = await medseal(args, { dataDirectory });
  assert.equal(resumed.exitCode, 0, resumed.stderr);
  assert.match(resumed.stdout, new RegExp(`^${count - recorded} items`));
  assert.equal(await total(clientOf(node), `Patient?family=${SECRET}&_id=many-0,many-${count - 1}`), 2);
});

test('waits for a server that is away, and goes on', async () => {
  const file = join(directory, 'away.ndjson');
  const count = 300;
  await writeFile(file, Array.from({ length: count }, (_, index) => patient(`away-${index}`)).join('\n'));
  const journal = join(directory, 'away.jsonl');
  const args = ['import', '--base', base, '--token', await node.token('hospital-a'), '--journal', journal, file];
  const running = medseal(args, { dataDirectory });
  await until('some are in', () => readLines(journal).length > 5);
  await node.kill9();
  await node.restart();
  const run = await running;
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  assert.match(run.stdout, new RegExp(`^${count} items`));
});
