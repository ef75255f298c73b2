import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { counted } from '../../conformance/support/counted.ts';
import { testDatabase } from '../../conformance/support/test-database.ts';
import { until } from '../../conformance/support/until.ts';
import { silentLogger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';
import { createCommonTokens, isSelective, withoutCommon } from './common-tokens.ts';
import { type Criterion, compileCriterion, Parameters } from './criteria.ts';

const COMMON = new Set(['1', '2']);
const every = (...tokens: string[]): Criterion => ({ kind: 'every', tokens });
const some = (...tokens: string[]): Criterion => ({ kind: 'some', tokens });
const all = (...of: Criterion[]): Criterion => ({ kind: 'all', of });
const any = (...of: Criterion[]): Criterion => ({ kind: 'any', of });

const CASES: readonly (readonly [what: string, criterion: Criterion, selective: boolean])[] = [
  ['a rare token', every('3'), true],
  ['a common token', every('1'), false],
  ['a common and a rare one', every('1', '3'), true],
  ['either of two rare ones', some('3', '4'), true],
  ['a common or a rare one', some('1', '3'), false],
  ['nothing in particular', all(), false],
  ['a rare one and a common one', all(every('3'), every('1')), true],
  ['a rare one or a common one', any(every('3'), every('1')), false],
  ['all but a rare one', { kind: 'not', of: every('3') }, false],
  ['a trait', { kind: 'traits', every: ['3'] }, false],
  ['a time', { kind: 'changed', from: '2026-01-01T00:00:00Z', until: undefined }, false],
  ['an id', { kind: 'ids', idTokens: [] }, true],
  ['a chain to few', { kind: 'refers-to', mask: 9n, type: 'Patient', target: every('3') }, true],
  ['a chain to many', { kind: 'refers-to', mask: 9n, type: 'Patient', target: every('1') }, false],
  ['referred to by few', { kind: 'referred-by', mask: 9n, type: 'Observation', source: every('3') }, true],
];

for (const [what, criterion, selective] of CASES) {
  test(`${what}: ${selective ? 'selective' : 'not selective'}`, () => {
    assert.equal(isSelective(criterion, COMMON), selective);
  });
}

test('the index is asked for rare tokens only, the rows for the rest', () => {
  const ofRow = (criterion: Criterion): Criterion => ({ ...criterion, asked: 'row' }) as Criterion;
  const narrowed = (criterion: Criterion) => withoutCommon(criterion, COMMON);
  assert.deepEqual(narrowed(every('1', '3', '2')), all(every('3'), ofRow(every('1', '2'))));
  assert.deepEqual(narrowed(every('3', '4')), every('3', '4'));
  assert.deepEqual(
    narrowed(all(some('3'), any(every('1'), some('1', '3')), { kind: 'not', of: every('2') })),
    all(some('3'), any(ofRow(every('1')), ofRow(some('1', '3'))), { kind: 'not', of: ofRow(every('2')) }),
  );
});

test('a question of the row is not one of the index', () => {
  const compiled = (criterion: Criterion) =>
    compileCriterion(criterion, 'r', new Parameters(), { table: 'permitted_current' });
  assert.equal(compiled(every('1')), 'r.tokens @> $1::bigint[]');
  assert.equal(compiled({ kind: 'some', tokens: ['1'], asked: 'row' }), "(r.tokens || '{}') && $1::bigint[]");
});

test('at the end of a hop to few, the type is asked of the rows, and so is what many have', () => {
  const toFew = (target: Criterion): Criterion => ({ kind: 'refers-to', mask: 9n, type: 'Patient', target });
  const byFew = (source: Criterion): Criterion => ({ kind: 'referred-by', mask: 9n, type: 'Observation', source });
  const few = (criterion: Criterion): Criterion => ({ ...criterion, few: true }) as Criterion;
  const narrowed = withoutCommon(all(any(toFew(every('1', '3'))), byFew(every('4')), every('5')), COMMON);
  const rest: Criterion = { kind: 'every', tokens: ['1'], asked: 'row' };
  assert.deepEqual(narrowed, all(any(few(toFew(all(every('3'), rest)))), few(byFew(every('4'))), every('5')));
  // Whose end many meet is left as it is.
  assert.deepEqual(withoutCommon(all(toFew(every('1')), every('3')), COMMON), all(toFew(every('1')), every('3')));
  for (const criterion of [toFew(every('3')), byFew(every('3'))]) {
    const compiled = (one: Criterion) =>
      compileCriterion(one, 'r', new Parameters(), { table: 'permitted_current' }).replaceAll(/\br[ts]\./g, 'x.');
    assert.match(compiled(criterion), /where x\.readers && .* and x\.type = \$\d and not x\.deleted and /);
    assert.match(compiled(few(criterion)), /where \(x\.type \|\| ''\) = \$\d and not x\.deleted and /);
    const own = compileCriterion(few(criterion), 'r', new Parameters(), { table: 'resource_current', institution: 1 });
    assert.match(own, /where r[ts]\.institution = \$\d and \(r/);
  }
});

test('what the type implies is asked where it narrows the search down, and nowhere else', async (t) => {
  const { database } = await testDatabase(t);
  const implied: Criterion = { kind: 'every', tokens: ['-7'], implied: true };
  const common = createCommonTokens({ ...database, query: query as Database['query'] }, silentLogger, () => 0);
  const plan = all(implied, some('9', '-7'));
  assert.deepEqual(common.approach(plan), { selective: true, criterion: plan }, 'nothing is known yet');
  await until('it is known', async () => !common.approach(plan).selective);
  assert.deepEqual(common.approach(plan), { selective: false, criterion: all(some('9', '-7')) });
  assert.equal(common.approach(all(implied, every('8'))).selective, true);

  function query() {
    return Promise.resolve([{ token: '-7' }]);
  }
});

test('what is common is learnt from the statistics', async (t) => {
  const { database, recordsUrl } = await testDatabase(t);
  const superuser = new Client({ connectionString: recordsUrl });
  await superuser.connect();
  await superuser.query(
    `insert into resource_current (self, id_token, version_id, institution, type, version, at, deleted, tokens, traits, readers)
     select n, gen_random_uuid(), n, 1, 'Patient', 1, now(), false, array[-7, 1000 + n], '{}', '{}'
     from generate_series(1, 2000) as n`,
  );
  let now = 0;
  const asked = counted(database);
  const common = createCommonTokens(asked.database, silentLogger, () => now);
  assert.equal(asked.statements(), 1, 'before anybody searches');
  assert.equal(common.approach(every('-7')).selective, true, 'nothing is known yet');
  await superuser.query('analyze resource_current');
  await superuser.end();
  now += 60_001;
  await until('it is known', async () => !common.approach(every('-7')).selective);
  assert.equal(common.approach(every('1001')).selective, true);
});
