import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { SearchParameter } from '@medplum/fhirtypes';
import { MedSealError } from '../../../errors.ts';
import { createSearchRegistry } from '../registry.ts';
import { customDefinition, definitionText } from './definition.ts';

const registry = createSearchRegistry();
const GUIDE = new URL('../../../../fhir-profiles/search-parameters/', import.meta.url);

function parameter(more: Partial<SearchParameter> = {}): SearchParameter {
  return {
    resourceType: 'SearchParameter',
    url: 'https://example.org/SearchParameter/marital-status',
    name: 'MaritalStatus',
    status: 'active',
    description: 'Marital status',
    code: 'marital-status',
    base: ['Patient'],
    type: 'token',
    expression: 'Patient.maritalStatus',
    ...more,
  };
}

/** `element: diagnostics` of each issue. */
function refusal(more: Partial<SearchParameter>): string {
  try {
    customDefinition(parameter(more), registry);
  } catch (error) {
    assert.ok(error instanceof MedSealError && error.code === 'invalid-search-parameter', String(error));
    return error.issues.map(({ expression, diagnostics }) => `${expression}: ${diagnostics}`).join('\n');
  }
  return 'accepted';
}

describe('a SearchParameter', () => {
  test('that is active is put in force with what decides what it finds', () => {
    assert.deepEqual(customDefinition(parameter(), registry), {
      url: 'https://example.org/SearchParameter/marital-status',
      code: 'marital-status',
      base: ['Patient'],
      type: 'token',
      expression: 'Patient.maritalStatus',
    });
  });

  test('that is not active has no effect, whatever it says', () => {
    for (const status of ['draft', 'retired', 'unknown'] as const) {
      assert.equal(customDefinition(parameter({ status, code: '_id', expression: '(' }), registry), undefined);
    }
  });

  test('of our guide is accepted', () => {
    const files = readdirSync(GUIDE);
    assert.ok(files.length >= 3);
    for (const file of files) {
      const resource = JSON.parse(readFileSync(new URL(file, GUIDE), 'utf8')) as SearchParameter;
      assert.equal(customDefinition(resource, registry)?.code, resource.code, file);
    }
  });

  for (const [type, base, expression] of [
    ['string', 'Patient', 'Patient.contact.name'],
    ['date', 'Patient', 'Patient.contact.period'],
    ['number', 'Observation', "Observation.extension.where(url = 'https://x').value.ofType(decimal)"],
    ['quantity', 'Observation', 'Observation.referenceRange.low'],
    ['uri', 'Patient', 'Patient.extension.url'],
    ['reference', 'Patient', 'Patient.contact.organization'],
    ['token', 'Patient', "Patient.extension('https://x').value"],
    ['token', 'Patient', "(Patient.extension('https://x').value as Coding) | Observation.bodySite"],
  ] as const) {
    test(`${type} by ${expression}`, () => assert.equal(refusal({ type, base: [base], expression }), 'accepted'));
  }

  for (const [what, more, expected] of [
    ['a code of R4', { code: 'gender' }, /^SearchParameter\.code: R4 has this parameter of Patient already$/],
    ['a code of every resource', { code: '_tag' }, /^SearchParameter\.code: /],
    ['a code with a modifier', { code: 'a:exact' }, /^SearchParameter\.code: /],
    ['a chained code', { code: 'a.b' }, /^SearchParameter\.code: /],
    ['an unknown type of resource', { base: ['Patent'] as never[] }, /^SearchParameter\.base: .*Patent/],
    ['all types at once', { base: ['Resource'] }, /^SearchParameter\.base: .*Resource/],
    ['the access trail', { base: ['AuditEvent'] }, /^SearchParameter\.base: .*AuditEvent/],
    ['a composite without parts', { type: 'composite' }, /^SearchParameter\.component: .*2 to 4/],
    ['a special one', { type: 'special' }, /^SearchParameter\.type: .*special/],
    ['an unknown target', { target: ['Patent'] as never[] }, /^SearchParameter\.target: /],
    ['no FHIRPath', { expression: '' }, /^SearchParameter\.expression: The expression ends too early/],
    ['broken FHIRPath', { expression: 'Patient.name.(' }, /^SearchParameter\.expression: /],
    ['an unknown element', { expression: 'Patient.nam' }, /^SearchParameter\.expression: .*nam/],
    ['another type', { expression: 'Observation.code' }, /^SearchParameter\.expression: It finds nothing in Patient$/],
    ['a type that does not fit', { type: 'date' }, /^SearchParameter\.expression: .*not searched as date/],
    ['an extension itself', { expression: "Patient.extension('https://x')" }, /searched as token: Extension$/],
    ['recursion', { expression: 'Patient.repeat(contact).gender' }, /take repeat\(\)$/],
    ['any depth', { expression: 'Patient.descendants().ofType(code)' }, /take descendants\(\)$/],
    ['a regular expression', { expression: "Patient.name.family.where($this.matches('(a+)+'))" }, /take matches\(\)$/],
    ['a way back up', { expression: 'Patient.name.where(%resource.active).family' }, /take %resource$/],
    ['length', { expression: `Patient.maritalStatus${' '.repeat(2000)}` }, /At most 2000 characters$/],
  ] as const) {
    test(`is refused for ${what}`, () => assert.match(refusal(more as Partial<SearchParameter>), expected));
  }

  const PARTS = [
    { definition: 'http://hl7.org/fhir/SearchParameter/Observation-combo-code', expression: 'code' },
    { definition: 'http://hl7.org/fhir/SearchParameter/Observation-status', expression: '%resource.status' },
  ];
  const composite = (...component: readonly { definition: string; expression: string }[]) =>
    refusal({
      type: 'composite',
      base: ['Observation'],
      expression: 'Observation.component',
      component: [...component],
    });

  test('that is composite has parts of R4 that fit', () => {
    const [code] = PARTS as [(typeof PARTS)[number]];
    const quantity = 'http://hl7.org/fhir/SearchParameter/Observation-combo-value-quantity';
    assert.equal(composite(code, { definition: quantity, expression: 'value.ofType(Quantity)' }), 'accepted');
    assert.match(composite(code), /component: A composite has 2 to 4 parts$/);
    assert.match(composite(...PARTS), /component\[1\]\.expression: .*take %resource$/);
    assert.match(
      composite(code, { definition: quantity, expression: 'code' }),
      /component\[1\]\.expression: .*quantity$/,
    );
    assert.match(
      composite(code, { definition: quantity, expression: 'nothing' }),
      /component\[1\]\.expression: .*nothing/,
    );
    assert.match(
      composite(code, { definition: 'https://example.org/other', expression: 'code' }),
      /component\[1\]\.definition: R4 has no such parameter of Observation/,
    );
  });

  test('is refused without an expression', () => {
    const { expression: _, ...bare } = parameter();
    assert.throws(() => customDefinition(bare, registry), { code: 'invalid-search-parameter' });
  });

  test('tells every problem at once', () => {
    assert.equal(refusal({ code: 'gender', type: 'special', base: ['Patient', 'AuditEvent'] }).split('\n').length, 3);
  });

  test('finds the same whatever it is called and described as', () => {
    const texts = [parameter(), parameter({ url: 'https://other', name: 'Other', description: 'x' })].map((one) =>
      definitionText(customDefinition(one, registry) ?? assert.fail()),
    );
    assert.equal(texts[0], texts[1]);
    const other = customDefinition(parameter({ expression: 'Patient.communication.language' }), registry);
    assert.notEqual(definitionText(other ?? assert.fail()), texts[0]);
  });
});
