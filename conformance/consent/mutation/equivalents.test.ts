import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EQUIVALENTS } from './equivalents.ts';
import { sourceMutants } from './source-mutants.ts';

test('each mutant that a run leaves out is one that is there, and has a reason', () => {
  const mutants = [...new Set(EQUIVALENTS.map(({ file }) => file))].flatMap(sourceMutants);
  for (const { file, was, becomes, why } of EQUIVALENTS) {
    const named = mutants.filter((one) => one.file === file && one.was === was && one.becomes === becomes);
    assert.equal(named.length, 1, `${file} has this once: ${was}`);
    assert.ok(why.length > 20);
  }
});
