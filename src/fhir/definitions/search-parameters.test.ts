import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CompartmentType, compartmentParameters, compartmentResourceTypes } from './compartments.ts';
import { isResourceType, typeDefinition } from './definitions.ts';
import { SEARCH_PARAMETERS, type SearchParameterDefinition } from './search-parameters.ts';

const byUrl = new Map(SEARCH_PARAMETERS.map((parameter) => [parameter.url, parameter]));

function parameter(name: string): SearchParameterDefinition {
  const found = byUrl.get(`http://hl7.org/fhir/SearchParameter/${name}`);
  assert.ok(found, name);
  return found;
}

const appliesTo = (type: string) => SEARCH_PARAMETERS.filter(({ base }) => base.includes(type)).map(({ code }) => code);

test('R4 has 1,375 search parameters, each of known types', () => {
  assert.equal(byUrl.size, 1375);
  for (const { url, base } of SEARCH_PARAMETERS) {
    assert.ok(base.length > 0, url);
    for (const type of base) assert.ok(typeDefinition(type)?.kind === 'resource', `${url}: ${type}`);
  }
});

test('only the parameters that look into no element have no expression', () => {
  const without = SEARCH_PARAMETERS.filter(({ expression }) => expression === undefined).map(({ code }) => code);
  assert.deepEqual(without.toSorted(), ['_content', '_query', '_text']);
});

test('expressions select by type with ofType alone', () => {
  for (const { url, expression, component = [] } of SEARCH_PARAMETERS) {
    for (const text of [expression, ...component.map((part) => part.expression)]) {
      assert.doesNotMatch(text ?? '', / as |\.as\(/, url);
    }
  }
  assert.equal(
    parameter('Observation-value-quantity').expression,
    '(Observation.value.ofType(Quantity)) | (Observation.value.ofType(SampledData))',
  );
});

test('a parameter keeps what HL7 says of it', () => {
  assert.deepEqual(parameter('individual-birthdate'), {
    url: 'http://hl7.org/fhir/SearchParameter/individual-birthdate',
    code: 'birthdate',
    type: 'date',
    base: ['Patient', 'Person', 'RelatedPerson'],
    expression: 'Patient.birthDate | Person.birthDate | RelatedPerson.birthDate',
    comparator: ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sa', 'eb', 'ap'],
  });
  assert.deepEqual(parameter('clinical-patient').target, ['Patient', 'Group']);
});

test('each part of a composite names a parameter', () => {
  const composites = SEARCH_PARAMETERS.filter(({ type }) => type === 'composite');
  assert.ok(composites.length > 40);
  for (const { url, component = [] } of composites) {
    assert.ok(component.length >= 2, url);
    for (const { definition } of component) assert.ok(byUrl.has(definition), `${url}: ${definition}`);
  }
});

test('a compartment tells the parameters of each type in it, and these exist', () => {
  assert.deepEqual(compartmentParameters('Patient', 'Observation'), ['subject', 'performer']);
  assert.deepEqual(compartmentParameters('Patient', 'Patient'), ['link']);
  assert.deepEqual(compartmentParameters('Patient', 'Organization'), []);
  assert.deepEqual(compartmentParameters('Patient', 'constructor'), []);
  assert.deepEqual(compartmentParameters('Encounter', 'Encounter'), ['{def}']);
  assert.equal(compartmentResourceTypes('Patient').length, 66);
  const compartments: CompartmentType[] = ['Device', 'Encounter', 'Patient', 'Practitioner', 'RelatedPerson'];
  for (const compartment of compartments) {
    for (const type of compartmentResourceTypes(compartment)) {
      assert.ok(isResourceType(type), type);
      for (const code of compartmentParameters(compartment, type)) {
        assert.ok(code === '{def}' || appliesTo(type).includes(code), `${compartment}: ${type}.${code}`);
      }
    }
  }
});
