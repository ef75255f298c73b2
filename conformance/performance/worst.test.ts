import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BENCH = fileURLToPath(new URL('./worst.ts', import.meta.url));

test('what worst searches do to others is measured, and each is answered', async () => {
  const args = ['--patients', '60', '--rounds', '1', '--seconds', '0.3'];
  const child = spawn(process.execPath, [BENCH, ...args], { stdio: 'pipe' });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(code, 0, errors);
  const lines = output.split('\n').filter((line) => line.includes('; p99 '));
  assert.equal(lines.length, 8, output);
  for (const line of lines) assert.match(line, /ratios [\d.]+, [\d.]+; it took \d+, \d+ ms, answered 200$/);
  assert.match(output, /^medians of the ratios: beside one [\d.]+, beside four [\d.]+$/m);
});
