import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ImplementationGuide, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import { compileExpression } from '../fhirpath/fhirpath.ts';
import { createValidator } from '../validation/validate.ts';
import { readFolder, readGuide } from './package.ts';
import { createProfileValidator } from './validate.ts';

const ROOT = new URL('../../../fhir-profiles/', import.meta.url);
const guide = readGuide(ROOT);
const structure = createValidator();
const profiles = createProfileValidator(guide.profiles, guide.isMember);
const VALID = readFolder(new URL('examples/valid/', ROOT));
const INVALID = readFolder(new URL('examples/invalid/', ROOT));
/** By id: where the error is, and a word of what it says. */
const EXPECTED =
  readJson<Readonly<Record<string, { readonly expression: string; readonly says: string }>>>('examples/invalid.json');

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, ROOT), 'utf8')) as T;
}

const errorsOf = (resource: Resource) => profiles.validate(resource).filter((issue) => issue.severity === 'error');

test('everything in the guide is R4, named after its place', () => {
  assert.ok(guide.resources.length >= 25);
  for (const resource of guide.resources) {
    const { url, id } = resource as StructureDefinition;
    assert.deepEqual(structure.validate(resource), [], id);
    assert.equal(url, `https://medseal.org/fhir/${resource.resourceType}/${id}`);
  }
});

test('its search parameters compile for their types', () => {
  const parameters = guide.resources.filter((one): one is SearchParameter => one.resourceType === 'SearchParameter');
  assert.ok(parameters.length > 0);
  for (const { expression = '', base } of parameters)
    for (const type of base ?? []) compileExpression(expression, type);
});

test('the guide lists all of it, and every example', () => {
  const listed = readJson<ImplementationGuide>('implementation-guide.json');
  assert.deepEqual(structure.validate(listed), []);
  const there = [...guide.resources, ...VALID].map(({ resourceType, id }) => `${resourceType}/${id}`);
  assert.deepEqual(listed.definition?.resource.map(({ reference }) => reference.reference).sort(), there.sort());
});

test('each profile of a resource has a valid example and an invalid one', () => {
  const claimed = (examples: readonly Resource[]) => new Set(examples.flatMap(({ meta }) => meta?.profile ?? []));
  const needed = [...guide.profiles.values()].filter(({ type }) => type !== 'Extension').map(({ url }) => url);
  assert.deepEqual(new Set(needed), claimed(VALID));
  assert.deepEqual(new Set(needed), claimed(INVALID));
});

for (const resource of VALID) {
  test(`${resource.id} is valid`, () => {
    assert.deepEqual(structure.validate(resource), []);
    assert.deepEqual(errorsOf(resource), []);
  });
}

for (const resource of INVALID) {
  test(`${resource.id} is valid R4, and not of its profile`, () => {
    assert.deepEqual(structure.validate(resource), []);
    const { expression, says } = EXPECTED[resource.id ?? ''] ?? { expression: 'none expected', says: '' };
    const issues = errorsOf(resource);
    const places = issues.map((issue) => `${issue.expression}: ${issue.diagnostics}`).join('\n');
    assert.ok(
      issues.some((issue) => issue.expression === expression && issue.diagnostics.includes(says)),
      `expected ${expression} ${says}, found\n${places}`,
    );
    // Each example is wrong in one way.
    assert.ok(issues.length <= 2, places);
  });
}

test('every invalid example is expected', () => {
  assert.deepEqual(INVALID.map(({ id }) => id).sort(), Object.keys(EXPECTED).sort());
});
