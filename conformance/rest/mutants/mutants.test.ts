import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../architecture/sources.ts';
import { MUTANTS } from './all.ts';
import { BROADEST, broadOf, byMutant, mergeKills, readKills, SENTINEL } from './record.ts';

/** Only ever grows. */
const LEAST_COUNTED = 378;
const LIST = fileURLToPath(new URL('list.ts', import.meta.url));

suite('mutants of the server', () => {
  test('each changes one place of the sources, and leaves them TypeScript', () => {
    for (const { name, file, from, to } of MUTANTS) {
      const source = readFileSync(join(ROOT, file), 'utf8');
      assert.match(file, /^src\//, name);
      assert.equal(source.split(from).length, 2, `${name}: ${file} has this once: ${from}`);
      assert.notEqual(from, to, name);
      const mutated = source.replace(from, () => to);
      if (file.endsWith('.ts')) assert.doesNotThrow(() => stripTypeScriptTypes(mutated), name);
    }
  });

  test('each has a name of its own, and tells what it breaks', () => {
    const names = MUTANTS.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
    for (const { name, what } of MUTANTS) {
      assert.match(name, /^[a-z0-9]+(?:-[a-z0-9]+)+$/);
      assert.ok(what.length > 15, name);
    }
  });
});

suite('the record of which case fails on which mutant', () => {
  let cases: readonly string[] = [];
  const kills = readKills();
  before(() => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    cases = JSON.parse(execFileSync(process.execPath, [LIST], { env, encoding: 'utf8' }));
  });

  test('every case of the suite is in the record, each once, and no other', () => {
    assert.equal(new Set(cases).size, cases.length);
    assert.deepEqual(Object.keys(kills), cases.toSorted(compare), 'npm run conformance:mutants');
  });

  test('every case fails on a mutant, and so counts', () => {
    const uncounted = cases.filter((id) => (kills[id] ?? []).length === 0);
    assert.deepEqual(uncounted, [], 'whoever adds a case adds a mutant');
    assert.ok(cases.length >= LEAST_COUNTED);
  });

  test('every mutant is there and fails some case, and no other is known', () => {
    const names = MUTANTS.map(({ name }) => name);
    assert.deepEqual([...byMutant(kills).keys()].toSorted(compare), names.toSorted(compare));
    for (const [id, known] of Object.entries(kills)) {
      assert.deepEqual(known, [...new Set(known)].toSorted(compare), id);
    }
  });

  test('each mutant names areas that there are, and fails cases of these alone', () => {
    const areas = new Map(MUTANTS.map((mutant) => [mutant.name, [SENTINEL, ...mutant.areas]]));
    for (const area of new Set([...areas.values()].flat())) {
      assert.ok(
        cases.some((id) => id.startsWith(`${area}: `)),
        area,
      );
    }
    for (const [name, failed] of byMutant(kills)) {
      const isNamed = (id: string) => areas.get(name)?.some((area) => id.startsWith(`${area}: `));
      assert.deepEqual(
        failed.filter((id) => !isNamed(id)),
        [],
        name,
      );
    }
  });

  test('a mutant that breaks the whole server is no evidence', () => {
    assert.deepEqual(broadOf(kills), []);
  });
});

suite('record', () => {
  test('what is too broad: a part of all cases, or of those that are always run', () => {
    const id = (index: number) => (index < 20 ? `${SENTINEL}: ${index}` : `search: ${index}`);
    const kills = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [
        id(index),
        [
          ...(index >= 20 && index < 20 + 200 * BROADEST ? ['just-not'] : []),
          ...(index >= 20 && index <= 20 + 200 * BROADEST ? ['too-many'] : []),
          ...(index < 10 ? ['half-of-the-core'] : []),
          ...(index < 11 ? ['most-of-the-core'] : []),
        ],
      ]),
    );
    assert.deepEqual(broadOf(kills), ['too-many', 'most-of-the-core']);
  });

  test('a run replaces what was known of its mutants, and forgets what is gone', () => {
    const known = { 'a: 1': ['old', 'rerun'], 'a: gone': ['old'] };
    const merged = mergeKills(known, ['b: 2', 'a: 1'], ['old', 'rerun'], new Map([['rerun', ['b: 2']]]));
    assert.deepEqual(merged, { 'a: 1': ['old'], 'b: 2': ['rerun'] });
    assert.deepEqual(Object.keys(merged), ['a: 1', 'b: 2']);
    assert.deepEqual(mergeKills(merged, ['a: 1'], ['rerun'], new Map()), { 'a: 1': [] });
  });
});

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
