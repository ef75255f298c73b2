import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { capabilities } from '../interactions/capabilities.ts';
import { FHIR_OPERATIONS } from './fhir-operations.ts';
import { OPENAPI_FILE } from './openapi.ts';

const registry = createSearchRegistry();
const services = { custom: { searched: () => registry }, publicUrl: 'https://node.example' };
const { paths } = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};

/** What the routes under a base do. */
function routed(base: string): ReadonlySet<string> {
  return new Set(
    Object.entries(paths)
      .filter(([path]) => path === base || path.startsWith(`${base}/`))
      .flatMap(([, methods]) => Object.values(methods))
      .flatMap(({ operationId }) => FHIR_OPERATIONS[operationId]?.interaction ?? []),
  );
}

/** What the CapabilityStatement of a base tells of its interactions and operations. */
function told(institution: string | undefined): ReadonlySet<string> {
  const [rest] = capabilities(services, institution, '1').rest ?? [];
  const levels = [rest, ...(rest?.resource ?? [])];
  return new Set([
    ...levels.flatMap((level) => (level?.interaction ?? []).map(({ code }) => String(code))),
    ...levels.flatMap((level) => (level?.operation ?? []).map(({ name }) => name)),
  ]);
}

test('an institution’s CapabilityStatement tells of what the document has routes for, and of nothing else', () => {
  // A batch is told of beside the transaction, and comes to the same route.
  assert.deepEqual([...routed('/{institution}/fhir'), 'batch'].toSorted(), [...told('hospital-a')].toSorted());
});

test('that of the union tells of searching only, as there is nothing to read', () => {
  const answered = [...routed('/fhir')].filter((interaction) => interaction !== 'read');
  assert.deepEqual(answered.toSorted(), [...told(undefined)].toSorted());
});
