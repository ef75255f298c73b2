import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { temporaryDirectory } from '../../conformance/support/temporary-directory.ts';
import { lockDirectory } from './directory-lock.ts';

test('one lock at a time, in this process too', async () => {
  const directory = await temporaryDirectory();
  const lock = lockDirectory(directory);
  assert.throws(() => lockDirectory(directory), { code: 'invalid-configuration', message: /in use by another/ });
  lock.release();
  lockDirectory(directory).release();
});

test('kill -9 of the holder releases it', async () => {
  const directory = await temporaryDirectory();
  const module = new URL('./directory-lock.ts', import.meta.url).href;
  const script = `import { lockDirectory } from '${module}';
    lockDirectory('${directory}'); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  assert.throws(() => lockDirectory(directory), /in use by another/);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  lockDirectory(directory).release();
});

test('a directory that cannot be written says so', async () => {
  const missing = `${await temporaryDirectory()}/missing`;
  assert.throws(() => lockDirectory(missing), { code: 'invalid-configuration', message: /cannot be locked/ });
});
