import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MedSealError } from '../../../errors.ts';
import { exists, syncDirectory, UNFINISHED } from '../../files.ts';
import type { Binaries } from './binaries.ts';
import type { Home } from './home.ts';
import { makeDirectoryFor } from './server-account.ts';

/** The name of the role that may do anything in the cluster; used to set it up. */
export const SUPERUSER = 'postgres';

/**
 * Makes the cluster by initdb if it is not there. initdb works under another name, so that one that was cut short is
 * never taken for a cluster.
 *
 * @throws MedSealError `invalid-configuration` when an existing cluster is of another major version
 */
export async function ensureCluster(home: Home, binaries: Binaries): Promise<void> {
  const { directory, cluster } = home;
  if (await exists(join(cluster, 'PG_VERSION'))) {
    const version = Number((await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim());
    if (version === binaries.majorVersion) return;
    throw new MedSealError(
      'invalid-configuration',
      `The database in ${cluster} was made by PostgreSQL ${version}, this version of MedSeal brings ${binaries.majorVersion}.`,
    );
  }
  for (const name of await readdir(directory)) {
    if (name.endsWith(UNFINISHED)) await rm(join(directory, name), { recursive: true });
  }
  const unfinished = `${cluster}.${randomUUID()}${UNFINISHED}`;
  await makeDirectoryFor(home.account, unfinished);
  await initdb(binaries, unfinished, home);
  await rename(unfinished, cluster);
  await syncDirectory(directory);
  await home.initialised();
}

async function initdb(binaries: Binaries, directory: string, { account }: Home): Promise<void> {
  const options = [
    `--pgdata=${directory}`,
    `--username=${SUPERUSER}`,
    '--auth=trust',
    '--encoding=UTF8',
    // Text compares by code point, whatever libraries the machine has: an index stays valid on the next one.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
  ];
  try {
    await promisify(execFile)(binaries.initdb, options, { ...account, cwd: '/', env: { LC_ALL: 'C' } });
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr ?? '';
    throw new MedSealError('internal', `The embedded database could not be made: ${said.trim()}`, { cause });
  }
}
