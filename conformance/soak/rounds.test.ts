import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileResult } from '../runner/report.ts';
import { collect, roundLine, summary } from './rounds.ts';

const result = (path: string, passed: number, ...failed: readonly string[]): FileResult => ({
  path,
  passed,
  failed: failed.map((name) => ({ name, line: 1, error: 'bad' })),
  skipped: [],
  duration: 1,
});

test('failures are told at once, counted, and can be repeated', () => {
  const told: string[] = [];
  const collected = collect({ file: ({ path }) => told.push(path) }, (path) => path.slice(1));
  collected.file(result('/good.test.ts', 3), '');
  collected.file(result('/bad.test.ts', 1, 'outer › inner'), '');
  assert.deepEqual(told, ['/bad.test.ts']);
  const round = { seed: 7, passed: collected.passed(), failed: collected.failed, seconds: 2.4 };
  assert.equal(roundLine(round, 1, 5), '1 of 5: SEED=7: 4 tests passed, 1 FAILED, 2 s\n');
  const text = summary([round, { seed: 8, passed: 5, failed: [], seconds: 1 }]);
  assert.match(text, /SEED=7 npm test -- bad\.test\.ts {3}# outer › inner/);
  assert.match(text, /2 seeds: 9 tests passed, 1 failed/);
});
