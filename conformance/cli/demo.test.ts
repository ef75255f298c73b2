import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exampleTransaction } from '../../src/demo/examples.ts';
import { createValidator } from '../../src/fhir/validation/validate.ts';
import { cachedToken, fhirClient } from '../support/fhir-client.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { medseal } from './medseal.ts';

const END = /^The story (came out as told|failed)/m;

async function story(node: TestNode): Promise<readonly string[]> {
  await until('the story ends', () => END.test(node.output()), 60_000);
  return node.output().split('\n');
}

test('the demonstration comes out as told, and again after kill -9, with the same clients', async (t) => {
  const node = await startTestNode(t, { demo: true });
  const ready = await fetch(`${node.url}/ready`);
  assert.equal(ready.status, 200);
  assert.equal(((await ready.json()) as { institutions: number }).institutions, 3);

  const lines = await story(node);
  assert.equal(lines[0], `ready ${node.url}`);
  assert.ok(lines.includes('The story came out as told. Ctrl-C stops the server.'), node.output());
  const steps = lines.filter((line) => /^ {2}\d /.test(line));
  assert.deepEqual(
    steps.map((line) => [line.slice(4, 5), / (\d{3}) {2}/.exec(line)?.[1]]),
    [
      ['✓', '200'],
      ['✓', '404'],
      ['✓', '201'],
      ['✓', '200'],
      ['✓', '200'],
      ['✓', '404'],
      ['✓', '200'],
      ['✓', undefined],
    ],
  );
  assert.ok(!node.output().includes('\u001b'), 'no colours where nobody looks');
  assert.ok(
    lines.every((line) => line.length <= 120),
    node.output(),
  );

  const keys = readKeys(node);
  await node.kill9();
  await node.restart();
  assert.ok((await story(node)).includes('The story came out as told. Ctrl-C stops the server.'), node.output());
  const kept = readKeys(node);
  for (const [name, key] of keys) assert.equal(kept.get(name), key, name);
  await knowsEveryone(node);
});

function readKeys(node: TestNode): ReadonlyMap<string, string> {
  const directory = join(node.dataDirectory, 'clients');
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

/** Every client that the output names gets a token, and everyone reads what they may. */
async function knowsEveryone(node: TestNode): Promise<void> {
  const expected: readonly (readonly [string, string, string, number])[] = [
    ['hospital-a', 'hospital-a', 'Patient/example', 200],
    ['hospital-b', 'hospital-b', 'Patient/f201', 200],
    ['hospital-b', 'hospital-a', 'Patient/example', 404],
    ['research-institute', 'hospital-a', 'Patient/example', 404],
    ['patient:example', 'hospital-a', 'Patient/example', 200],
    ['practitioner:example', 'hospital-a', 'Patient/example', 200],
    ...['hospital-a', 'hospital-b', 'research-institute'].map(
      (name) => ['research-institute', name, `Organization/${name}`, 200] as const,
    ),
  ];
  for (const [client, institution, path, status] of expected) {
    const { stdout, exitCode, stderr } = await medseal(['token', client], { dataDirectory: node.dataDirectory });
    assert.equal(exitCode, 0, stderr);
    const answer = await fhirClient(
      `${node.url}/${institution}/fhir`,
      cachedToken(() => Promise.resolve(stdout.trim())),
    ).get(path);
    assert.equal(answer.status, status, `${client} ${institution} ${path}: ${answer.text}`);
  }
}

test('a story that was cut short while the consent was active is told again', async (t) => {
  const node = await startTestNode(t, { demo: true });
  await story(node);
  const client = fhirClient(
    `${node.url}/hospital-a/fhir`,
    cachedToken(() => node.token('patient:example')),
  );
  const consent = (await client.get('Consent/demonstration')).json<{ status: string }>();
  const { status } = await client.put('Consent/demonstration', { ...consent, status: 'active' });
  assert.equal(status, 200);
  await node.restart();
  assert.ok((await story(node)).includes('The story came out as told. Ctrl-C stops the server.'), node.output());
});

test('a step that does not come out as told ends the story with a failure, and the server stays up', async (t) => {
  // Tokens come from elsewhere, where the demonstration has no keys.
  const node = await startTestNode(t, { demo: true, env: { MEDSEAL_ISSUER: 'http://127.0.0.1:1/issuer' } });
  const lines = await story(node);
  const failed = lines.findIndex((line) => line.startsWith('  1 ✗ the hospitals push'));
  assert.match(lines[failed + 1] ?? '', /^ {6}The server gave no token/);
  assert.ok(lines.includes('The story failed at step 1 of 8. The server is up.'), node.output());
  assert.equal((await fetch(`${node.url}/ready`)).status, 200);
});

test('the examples are valid, each under its own id', () => {
  const validator = createValidator();
  for (const owner of ['hospital-a', 'hospital-b'] as const) {
    const { text, resources } = exampleTransaction(owner);
    const { entry } = JSON.parse(text);
    assert.equal(entry.length, resources);
    for (const { resource, request } of entry) {
      assert.equal(request.url, `${resource.resourceType}/${resource.id}`);
      validator.assertValid(resource, resource.resourceType);
    }
  }
});
