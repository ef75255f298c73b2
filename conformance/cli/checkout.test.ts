/** A checkout may lie anywhere, also where the path has to be escaped in a URL. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { MIGRATIONS } from '../../src/storage/database/open.ts';
import { ROOT } from '../architecture/sources.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createDatabasePair } from '../support/test-database.ts';

test('a server starts, and serves its files, from a folder of any name', async (t) => {
  const directory = await temporaryDirectory();
  const checkout = join(directory, '病历 100% #1?');
  mkdirSync(checkout);
  for (const name of ['src', 'package.json']) cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  const pair = await createDatabasePair(MIGRATIONS);
  const { PATH } = process.env;
  const env = {
    PATH,
    PORT: '0',
    LOG_LEVEL: 'warn',
    MEDSEAL_DATA: join(checkout, 'data'),
    MEDSEAL_DATABASE_URL: pair.recordsUrl,
    MEDSEAL_KEY_DATABASE_URL: pair.keysUrl,
  };
  const server = spawn(process.execPath, ['src/main.ts'], { cwd: checkout, env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    server.kill('SIGTERM');
    if (server.exitCode === null) await once(server, 'exit');
    await pair.drop();
  });
  const [ready] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  assert.match(ready, /^ready http/);
  for (const path of ['/docs', '/docs/start.js', '/docs/openapi.json', '/docs/swagger-ui.css', '/verify']) {
    const { status } = await fetch(`${ready.slice('ready '.length)}${path}`);
    assert.equal(status, 200, path);
  }
});
