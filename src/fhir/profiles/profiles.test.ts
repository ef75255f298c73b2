import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CodeSystem,
  ElementDefinition,
  Resource,
  StructureDefinition,
  ValueSet,
  ValueSetCompose,
} from '@medplum/fhirtypes';
import { terminologyOf } from '../terminology/content.ts';
import { equalsFixed, fitsPattern } from './matching.ts';
import { packagedMembership } from './membership.ts';
import { readProfile } from './read-profile.ts';
import { createProfileValidator } from './validate.ts';

const URL = 'http://example.org/profile';

function profile(type: string, ...element: readonly ElementDefinition[]): StructureDefinition {
  const rows = [{ id: type, path: type }, ...element];
  return {
    resourceType: 'StructureDefinition',
    url: URL,
    type,
    differential: { element: rows },
  } as StructureDefinition;
}

/** Where a resource differs from a profile of these elements. */
function places(type: string, element: readonly ElementDefinition[], resource: object): readonly string[] {
  const read = readProfile(profile(type, ...element));
  const validator = createProfileValidator(new Map([[URL, read]]), packagedMembership(terminologyOf([], [])));
  return validator
    .validate({ resourceType: type, ...resource } as Resource, [URL])
    .map((issue) => issue.expression ?? '');
}

const slicing = (type: 'value' | 'exists' | 'type', path: string, rules: 'open' | 'closed' = 'open') => ({
  discriminator: [{ type, path }],
  rules,
});

test('slices by value: each has its own number, and where it is closed nothing else may be there', () => {
  const elements = (rules: 'open' | 'closed'): ElementDefinition[] => [
    { id: 'Patient.telecom', path: 'Patient.telecom', slicing: slicing('value', 'system', rules) },
    { id: 'Patient.telecom:phone', path: 'Patient.telecom', sliceName: 'phone', min: 1, max: '1' },
    { id: 'Patient.telecom:phone.system', path: 'Patient.telecom.system', fixedCode: 'phone' },
  ];
  const [phone, mail] = [{ system: 'phone' }, { system: 'email' }];
  assert.deepEqual(places('Patient', elements('closed'), { telecom: [phone] }), []);
  assert.deepEqual(places('Patient', elements('closed'), { telecom: [phone, mail] }), ['Patient.telecom[1]']);
  assert.deepEqual(places('Patient', elements('open'), { telecom: [phone, mail] }), []);
  assert.deepEqual(places('Patient', elements('open'), { telecom: [mail] }), ['Patient.telecom']);
  assert.deepEqual(places('Patient', elements('open'), { telecom: [phone, phone] }), ['Patient.telecom']);
});

test('slices by whether an element is there, and by type', () => {
  const byPeriod: ElementDefinition[] = [
    { id: 'Patient.address', path: 'Patient.address', slicing: slicing('exists', 'period') },
    { id: 'Patient.address:former', path: 'Patient.address', sliceName: 'former', max: '1' },
    { id: 'Patient.address:former.period', path: 'Patient.address.period', min: 1 },
  ];
  const dated = { period: { end: '2020' } };
  assert.deepEqual(places('Patient', byPeriod, { address: [dated, { city: 'x' }] }), []);
  assert.deepEqual(places('Patient', byPeriod, { address: [dated, dated] }), ['Patient.address']);
  const byType: ElementDefinition[] = [
    { id: 'Observation.value[x]', path: 'Observation.value[x]', slicing: slicing('type', '$this') },
    {
      id: 'Observation.value[x]:valueQuantity',
      path: 'Observation.value[x]',
      sliceName: 'valueQuantity',
      type: [{ code: 'Quantity' }],
    },
    { id: 'Observation.value[x]:valueQuantity.code', path: 'Observation.value[x].code', min: 1 },
  ];
  assert.deepEqual(places('Observation', byType, { valueString: 'x' }), []);
  assert.deepEqual(places('Observation', byType, { valueQuantity: { value: 1 } }), ['Observation.value.code']);
});

test('what a profile cannot mean is refused when it is read', () => {
  const refused = (...elements: readonly ElementDefinition[]) =>
    assert.throws(() => readProfile(profile('Patient', ...elements)), { code: 'invalid-resource' });
  refused({ id: 'Patient.wings', path: 'Patient.wings', min: 1 });
  refused({ id: 'Patient.name:one', path: 'Patient.name', sliceName: 'one' });
  refused({
    id: 'Patient.name',
    path: 'Patient.name',
    constraint: [{ key: 'x', expression: 'wings.exists()', severity: 'error', human: 'x' }],
  });
  refused(
    { id: 'Patient.link', path: 'Patient.link', slicing: slicing('value', 'other.resolve()') },
    { id: 'Patient.link:one', path: 'Patient.link', sliceName: 'one' },
  );
});

test('an unknown profile is a warning where it is claimed, an error where it is asked for; of another type always', () => {
  const validator = createProfileValidator(new Map([[URL, readProfile(profile('Patient'))]]), () => undefined);
  const claims = (resourceType: string, ...claimed: readonly string[]) =>
    ({ resourceType, meta: { profile: claimed } }) as Resource;
  const severities = (resource: Resource, asked?: readonly string[]) =>
    validator.validate(resource, asked).map(({ severity, expression }) => `${severity} ${expression}`);
  assert.deepEqual(severities(claims('Patient', 'http://other')), ['warning Patient.meta.profile']);
  assert.deepEqual(severities(claims('Patient'), ['http://other']), ['error Patient']);
  assert.deepEqual(severities(claims('Group', URL)), ['error Group.meta.profile']);
  assert.deepEqual(severities(claims('Patient', `${URL}|1.0`)), []);
});

test('fixed is the same in every part, a pattern is a part', () => {
  const coding = { system: 's', code: 'c' };
  assert.ok(equalsFixed({ coding: [coding] }, { coding: [coding] }));
  assert.ok(!equalsFixed({ coding: [coding], text: 'x' }, { coding: [coding] }));
  assert.ok(fitsPattern({ coding: [{ code: 'd' }, { ...coding, display: 'x' }], text: 'x' }, { coding: [coding] }));
  assert.ok(!fitsPattern({ coding: [{ code: 'c' }] }, { coding: [coding] }));
  assert.ok(!equalsFixed(JSON.rawJSON('1.0'), 1));
  assert.ok(equalsFixed(JSON.rawJSON('1.0'), JSON.rawJSON('1.0')));
});

test('membership: listed, excluded, of other sets, and what cannot be told', () => {
  const set = (url: string, compose: ValueSetCompose): ValueSet => ({
    resourceType: 'ValueSet',
    url,
    status: 'active',
    compose,
  });
  const sets = [
    set('listed', {
      include: [{ system: 's', concept: [{ code: 'a' }, { code: 'b' }] }],
      exclude: [{ system: 's', concept: [{ code: 'b' }] }],
    }),
    set('whole', { include: [{ system: 'own' }] }),
    set('both', { include: [{ valueSet: ['listed'] }, { valueSet: ['whole|1'] }] }),
    set('elsewhere', { include: [{ system: 'http://loinc.org' }] }),
    set('filtered', { include: [{ system: 'own', filter: [{ property: 'x', op: '=', value: 'y' }] }] }),
  ];
  const own: CodeSystem = {
    resourceType: 'CodeSystem',
    url: 'own',
    status: 'active',
    content: 'complete',
    concept: [{ code: 'p', concept: [{ code: 'q' }] }],
  };
  const isMember = packagedMembership(terminologyOf([own], sets));
  const ask = (url: string, ...codes: readonly string[]) => codes.map((code) => isMember(url, undefined, code));
  assert.deepEqual(ask('listed', 'a', 'b', 'c'), [true, false, false]);
  assert.equal(isMember('listed', 'other', 'a'), false);
  assert.deepEqual(ask('whole', 'p', 'q', 'r'), [true, true, false]);
  assert.deepEqual(ask('both', 'a', 'q', 'z'), [true, true, false]);
  assert.deepEqual(
    [...ask('elsewhere', 'a'), ...ask('filtered', 'p'), ...ask('nowhere', 'a')],
    [undefined, undefined, undefined],
  );
});
