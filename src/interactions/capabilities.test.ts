import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { capabilities } from './capabilities.ts';

const services = { registry: createSearchRegistry(), publicUrl: 'https://node.example' };

/** Names of the operations that a base has routes for: on every type, and on Patient alone. */
function routed(): readonly string[] {
  const file = new URL('../api/openapi.json', import.meta.url);
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as { paths: Readonly<Record<string, object>> };
  const names = Object.keys(paths).flatMap((path) => /^\/\{institution\}\/fhir\/.*\$([a-z-]+)$/.exec(path)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

test('every operation that there is a route for is told of, where it is', () => {
  const [rest] = capabilities(services, 'hospital-a', '1').rest ?? [];
  const operationsOf = (name: string) =>
    rest?.resource?.find(({ type }) => type === name)?.operation?.map((operation) => operation.name);
  const elsewhere = operationsOf('Observation') ?? [];
  assert.deepEqual(operationsOf('Patient')?.toSorted(), routed());
  assert.deepEqual(
    routed().filter((name) => !elsewhere.includes(name)),
    ['break-glass'],
    'for patients only',
  );
  assert.equal(rest?.operation, undefined, 'none of the whole base');
});

test('the union of all bases has none', () => {
  const [rest] = capabilities(services, undefined, '1').rest ?? [];
  assert.ok((rest?.resource ?? []).every(({ operation }) => operation === undefined));
});
