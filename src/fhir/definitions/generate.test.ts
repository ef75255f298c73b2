import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generate } from './generate.ts';

test('the committed tables are what the generator makes of HL7’s package', () => {
  const files = [...generate()];
  assert.equal(files.length, 7);
  for (const [name, text] of files) {
    const committed = readFileSync(join(import.meta.dirname, name), 'utf8');
    assert.ok(committed === text, `${name} is out of date: run npm run generate`);
  }
});
