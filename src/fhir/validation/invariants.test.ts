import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInvariants } from './invariants.ts';

const check = createInvariants();
const errors = (resource: object, root = (resource as { resourceType: string }).resourceType) =>
  check(resource, root)
    .filter(({ severity }) => severity === 'error')
    .map(({ expression, diagnostics }) => `${expression} ${/\(([a-z0-9-]+)\)$/.exec(diagnostics)?.[1]}`);

test('an invariant is told with the element that it is about, wherever the resource stands', () => {
  const patient = { resourceType: 'Patient', contact: [{ name: { text: 'x' } }, { gender: 'male' }] };
  assert.deepEqual(errors(patient), ['Patient.contact[1] pat-1']);
  assert.deepEqual(errors(patient, 'Bundle.entry[3].resource'), ['Bundle.entry[3].resource.contact[1] pat-1']);
});

test('those of datatypes, of elements, and of what is contained', () => {
  const period = { start: '2024-05-17', end: '2024-05-16' };
  assert.deepEqual(errors({ resourceType: 'Patient', name: [{ period }] }), ['Patient.name[0].period per-1']);
  const contained = [{ resourceType: 'Patient', id: 'p', telecom: [{ value: '555' }] }];
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    contained,
    subject: { reference: '#p' },
  };
  assert.deepEqual(errors(observation), ['Observation.contained[0].telecom[0] cpt-2']);
});

test('best practice is a warning', () => {
  const issues = check({ resourceType: 'Patient', name: [{ text: 'x' }] }, 'Patient');
  assert.deepEqual(
    issues.map(({ severity, expression }) => [severity, expression]),
    [['warning', 'Patient']],
  );
  assert.match(issues[0]?.diagnostics ?? '', /narrative.*\(dom-6\)$/);
});

test('what cannot be decided is let pass, and there are 50 issues at most', () => {
  assert.deepEqual(errors({ resourceType: 'ChargeItemDefinition', url: 'http://x', status: 'draft' }), []);
  const contact = Array.from({ length: 80 }, () => ({ gender: 'male' }));
  assert.equal(check({ resourceType: 'Patient', contact }, 'Patient').length, 50);
});
