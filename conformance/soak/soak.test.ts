import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findTestFiles } from '../runner/files.ts';
import { randomisedFiles } from './randomised.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOAK = fileURLToPath(new URL('../soak.ts', import.meta.url));

test('what takes a seed is found, through what it imports, and nothing else', () => {
  const found = randomisedFiles(ROOT, findTestFiles(ROOT, [])).map((file) => relative(ROOT, file));
  for (const path of [
    'conformance/faults/writes.test.ts',
    'conformance/faults/trail.test.ts',
    'conformance/consent/locks-agree.test.ts',
    'conformance/consent/races.test.ts',
    'conformance/main-job/bad-input.test.ts',
    'conformance/ports/content-store.test.ts',
    'src/fhir/json/parse.test.ts',
  ]) {
    assert.ok(found.includes(path), path);
  }
  for (const path of [
    'conformance/architecture/tidy.test.ts',
    'conformance/performance/data.test.ts',
    'src/cli/usage.test.ts',
  ]) {
    assert.ok(!found.includes(path), path);
  }
});

test('each seed is a round, as told', async () => {
  const { code, output } = await soak('--seeds', '2', '--from', '41', '--only', 'storage/content/cid');
  assert.equal(code, 0, output);
  assert.match(output, /1 of 2: SEED=41: \d+ tests passed, \d+ s\n2 of 2: SEED=42: /);
  assert.match(output, /2 seeds: \d+ tests passed, 0 failed/);
});

test('what it does not take is told', async () => {
  assert.equal((await soak('--only', 'usage.test')).code, 2);
  assert.equal((await soak('--seeds', 'many')).code, 2);
});

async function soak(...args: readonly string[]) {
  const { NODE_TEST_CONTEXT: _, MEDSEAL_TEST_POSTGRES: __, ...environment } = process.env;
  const child = spawn(process.execPath, [SOAK, ...args], { env: environment });
  const [output, progress, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, output: `${output}${progress}` };
}
