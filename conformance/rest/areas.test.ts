import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableOf, tally } from './areas.ts';

async function* events() {
  yield { type: 'test:start', data: { name: 'all', nesting: 0 } };
  yield { type: 'test:start', data: { name: 'reads', nesting: 1 } };
  yield { type: 'test:start', data: { name: 'one [clause]', nesting: 2 } };
  yield { type: 'test:pass', data: { name: 'one [clause]', nesting: 2, details: { type: 'test' } } };
  yield { type: 'test:fail', data: { name: 'two [clause]', nesting: 2, details: { type: 'test' } } };
  yield { type: 'test:fail', data: { name: 'reads', nesting: 1, details: { type: 'suite' } } };
  yield { type: 'test:start', data: { name: 'writes', nesting: 1 } };
  yield { type: 'test:start', data: { name: 'deeper', nesting: 2 } };
  yield { type: 'test:pass', data: { name: 'three', nesting: 3, skip: 'no other client', details: { type: 'test' } } };
  yield { type: 'test:pass', data: { name: 'four', nesting: 3, details: { type: 'test' } } };
  yield { type: 'test:pass', data: { name: 'writes', nesting: 1, details: { type: 'suite' } } };
  yield { type: 'test:fail', data: { name: 'rest.test.ts', nesting: 0, details: { type: 'test' } } };
}

test('each case counts for the area that it stands in', async () => {
  const areas = await tally(events());
  assert.deepEqual(areas.slice(0, 2), [
    { name: 'reads', passed: 1, skipped: 0, cases: ['one [clause]', 'two [clause]'], failed: ['two [clause]'] },
    { name: 'writes', passed: 1, skipped: 1, cases: ['three', 'four'], failed: [] },
  ]);
  assert.equal(areas[2]?.failed.length, 1, 'what fails outside of any area');
});

test('the table has a line for each area, and names what failed', async () => {
  const table = tableOf(
    (await tally(events())).slice(0, 2),
    (area, name) => area === 'writes' || name.startsWith('one'),
  );
  assert.match(table, /^area +passed +failed +skipped +counted$/m);
  assert.match(table, /^reads +1 +1 +0 +1$/m);
  assert.match(table, /^all +2 +1 +1 +3$/m);
  assert.match(table, /reads: two \[clause\]/);
});
