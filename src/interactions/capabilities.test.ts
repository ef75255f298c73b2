import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { capabilities } from './capabilities.ts';

const registry = createSearchRegistry();
const services = { custom: { searched: () => registry }, publicUrl: 'https://node.example' };

/** Names of the operations that a base has routes for. */
function routed(): readonly string[] {
  const file = new URL('../api/openapi.json', import.meta.url);
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as { paths: Readonly<Record<string, object>> };
  const names = Object.keys(paths).flatMap((path) => /^\/\{institution\}\/fhir\/.*\$([a-z-]+)$/.exec(path)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

test('every operation that there is a route for is told of, where it is', () => {
  const [rest] = capabilities(services, 'hospital-a', '1').rest ?? [];
  const namesOf = (operations: readonly { name: string }[] | undefined) => (operations ?? []).map(({ name }) => name);
  const everywhere = [rest, ...(rest?.resource ?? [])].flatMap((one) => namesOf(one?.operation));
  assert.deepEqual([...new Set(everywhere)].toSorted(), routed());
  const having = (operation: string) =>
    rest?.resource?.filter((one) => namesOf(one.operation).includes(operation)).map(({ type }) => type);
  assert.deepEqual(having('break-glass'), ['Patient'], 'for patients only');
  assert.equal(having('evidence')?.length, rest?.resource?.length);
  assert.ok(!namesOf(rest?.operation).includes('break-glass'), 'not of the whole base');
});

test('the union of all bases has none', () => {
  const [rest] = capabilities(services, undefined, '1').rest ?? [];
  assert.ok((rest?.resource ?? []).every(({ operation }) => operation === undefined));
});
