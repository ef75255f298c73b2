import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../../../../conformance/support/temporary-directory.ts';
import { exists } from '../../files.ts';
import { type Binaries, findInstallation, type Installation, usableBinaries } from './binaries.ts';
import { canExecute, serverAccount } from './server-account.ts';

const notRoot = process.getuid?.() !== 0;

/** A copy of the package as `npm ci --ignore-scripts` installs it: without its symbolic links. */
async function installationWithoutLinks(directory: string): Promise<Installation> {
  const { directory: original, version } = await findInstallation();
  const copy = join(directory, 'native');
  await cp(original, copy, { recursive: true, verbatimSymlinks: true });
  for (const name of await readdir(join(copy, 'lib'))) {
    const path = join(copy, 'lib', name);
    if ((await lstat(path)).isSymbolicLink()) await rm(path);
  }
  return { directory: copy, version };
}

async function assertRuns({ postgres, majorVersion }: Binaries): Promise<void> {
  const account = await serverAccount();
  const { stdout } = await promisify(execFile)(postgres, ['--version'], { ...account, cwd: '/', env: {} });
  assert.ok(stdout.includes(` ${majorVersion}.`), stdout);
}

test('library links that npm left out are made', async () => {
  const directory = await temporaryDirectory();
  const installation = await installationWithoutLinks(directory);
  const binaries = await usableBinaries(installation, await serverAccount(), await temporaryDirectory());
  assert.ok(binaries.postgres.startsWith(directory));
  const links = JSON.parse(await readFile(join(installation.directory, 'pg-symlinks.json'), 'utf8')) as {
    target: string;
  }[];
  for (const { target } of links) assert.ok(await exists(join(directory, target)), target);
  await assertRuns(binaries);
});

test('where they cannot be made, a copy is used', { skip: !notRoot && 'root may write anywhere' }, async () => {
  const installation = await installationWithoutLinks(await temporaryDirectory());
  await chmod(join(installation.directory, 'lib'), 0o555);
  const home = await temporaryDirectory();
  const binaries = await usableBinaries(installation, undefined, home);
  await chmod(join(installation.directory, 'lib'), 0o755);
  assert.ok(binaries.postgres.startsWith(home));
  await assertRuns(binaries);
});

test("a checkout that PostgreSQL's account cannot enter: a copy is used, once", {
  skip: notRoot && 'needs root',
}, async () => {
  const closed = join(await temporaryDirectory(), 'closed');
  await mkdir(closed, { mode: 0o700 });
  const installation = await installationWithoutLinks(closed);
  const account = await serverAccount();
  assert.equal(await canExecute(account, join(installation.directory, 'bin', 'postgres')), false);
  const home = await temporaryDirectory();
  const binaries = await usableBinaries(installation, account, home);
  assert.deepEqual(await usableBinaries(installation, account, home), binaries);
  assert.deepEqual(await readdir(home), [`postgresql-${installation.version}`]);
  await assertRuns(binaries);
});
