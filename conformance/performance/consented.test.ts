import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BENCH = fileURLToPath(new URL('./consented.ts', import.meta.url));

/** Every search of it checks that its page is full, by consent and of one's own. */
test('what consent costs a search is measured among those who permit it', async () => {
  const child = spawn(process.execPath, [BENCH, '--patients', '500', '--rounds', '2'], { stdio: 'pipe' });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(code, 0, errors);
  assert.match(output, /^500 patients, 50 consented in five shapes; 1 searches of 50 matches a round/m);
  assert.match(output, /^round 2: by consent [\d.]+ ms .*; one’s own [\d.]+ ms .*; [\d.]+ times$/m);
  assert.match(output, /^median of 2 ratios: [\d.]+$/m);
});
