import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isResourceType, propertyNames, RESOURCE_TYPES, type TypeDefinition, typeDefinition } from './definitions.ts';
import table from './r4-types.json' with { type: 'json' };

function mustDefine(name: string): TypeDefinition {
  const definition = typeDefinition(name);
  assert.ok(definition, `${name} is not defined`);
  return definition;
}

const element = (type: string, name: string) => mustDefine(type).elements.get(name);

test('R4 has 146 concrete resource types and two abstract ones', () => {
  assert.equal(RESOURCE_TYPES.length, 146);
  assert.deepEqual(RESOURCE_TYPES.toSorted(), [...RESOURCE_TYPES]);
  const resources = Object.entries(table).filter(([, row]) => row.kind === 'resource');
  assert.equal(resources.length, 148);
  assert.ok(isResourceType('Observation'));
  for (const name of ['Resource', 'DomainResource', 'Quantity', 'SubscriptionStatus', 'constructor', '']) {
    assert.ok(!isResourceType(name), name);
  }
});

test('R4 has 20 primitives, each a kind of Element, and all but xhtml with a pattern', () => {
  const primitives = Object.keys(table).filter((name) => typeDefinition(name)?.kind === 'primitive');
  assert.equal(primitives.length, 20);
  for (const name of primitives) {
    assert.ok(element(name, 'extension'), name);
    assert.equal(mustDefine(name).regex === undefined, name === 'xhtml', name);
  }
});

test('every type that an element or a base names is defined', () => {
  for (const name of Object.keys(table)) {
    const { base, elements } = mustDefine(name);
    assert.ok(base === undefined || typeDefinition(base), `${name}: ${base}`);
    for (const { name: child, types } of elements.values()) {
      assert.ok(types.length > 0, `${name}.${child} has no type`);
      for (const type of types) assert.ok(typeDefinition(type), `${name}.${child}: ${type}`);
    }
  }
});

test('an element tells its cardinality, types, targets, binding and flags', () => {
  assert.deepEqual(element('Observation', 'status'), {
    name: 'status',
    choice: false,
    types: ['code'],
    min: 1,
    max: 1,
    binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/observation-status|4.0.1' },
    summary: true,
    modifier: true,
  });
  assert.deepEqual(element('Observation', 'subject')?.targets, ['Patient', 'Group', 'Device', 'Location']);
  assert.equal(element('Observation', 'category')?.max, Number.POSITIVE_INFINITY);
  assert.deepEqual(element('Resource', 'id')?.types, ['id']);
  assert.deepEqual(element('Observation', 'id')?.types, ['id']);
  assert.deepEqual(element('Observation.component', 'id')?.types, ['string']);
  assert.equal(element('xhtml', 'extension')?.max, 0);
});

test('elements are inherited, the base’s first', () => {
  const names = [...mustDefine('Patient').elements.keys()];
  assert.deepEqual(names.slice(0, 9), [
    'id',
    'meta',
    'implicitRules',
    'language',
    'text',
    'contained',
    'extension',
    'modifierExtension',
    'identifier',
  ]);
  assert.deepEqual([...mustDefine('Age').elements.keys()], [...mustDefine('Quantity').elements.keys()]);
  assert.equal(mustDefine('Bundle').elements.has('text'), false);
});

test('backbone elements and content references lead to their own types', () => {
  assert.deepEqual(element('Observation', 'component')?.types, ['Observation.component']);
  assert.deepEqual(element('Observation.component', 'referenceRange')?.types, ['Observation.referenceRange']);
  assert.deepEqual(element('Questionnaire.item', 'item')?.types, ['Questionnaire.item']);
  assert.equal(mustDefine('Timing.repeat').base, 'Element');
  assert.equal(mustDefine('Patient.contact').base, 'BackboneElement');
});

test('a choice lists its properties with their types, any other element itself', () => {
  const value = element('Observation', 'value');
  assert.ok(value);
  assert.ok(value.choice);
  const names = propertyNames(value);
  assert.equal(names.size, 11);
  assert.equal(names.get('valueQuantity'), 'Quantity');
  assert.equal(names.get('valueDateTime'), 'dateTime');
  const status = element('Observation', 'status');
  assert.ok(status);
  assert.deepEqual([...propertyNames(status)], [['status', 'code']]);
});

test('invariants come with the type that they hold for, inherited ones included', () => {
  const keys = (type: string) => mustDefine(type).constraints?.map((constraint) => constraint.key);
  assert.deepEqual(keys('Observation'), ['dom-2', 'dom-3', 'dom-4', 'dom-5', 'dom-6', 'obs-6', 'obs-7']);
  assert.deepEqual(keys('Patient.contact'), ['ele-1', 'pat-1']);
  assert.deepEqual(keys('Age'), ['ele-1', 'qty-3', 'age-1']);
  assert.deepEqual(
    element('Organization', 'telecom')?.constraints?.map((constraint) => constraint.key),
    ['org-3'],
  );
});

test('nothing is there that HL7 did not publish in 4.0.1', () => {
  assert.equal(element('Binary', 'url'), undefined);
  assert.equal(element('HealthcareService', 'offeredIn'), undefined);
  assert.equal(typeDefinition('Project'), undefined);
  assert.equal(typeDefinition('__proto__'), undefined);
});
