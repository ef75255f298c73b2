import { hash, randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MedSealError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { exists, writeDurably } from '../../files.ts';
import { type Account, canExecute, makeDirectoryFor, serverAccount } from './server-account.ts';

/**
 * Where the files of the database lie. When we are root, what we write ourselves (settings, copied programs) lies in
 * `directory`, which is ours; the server's account owns only the directories below, so that it cannot lead us, by a
 * link in the place of a file, to write elsewhere.
 */
export interface Home {
  readonly directory: string;
  /** PGDATA; made by `ensureCluster`. */
  readonly cluster: string;
  /** Who owns the cluster and runs the server. */
  readonly account: Account | undefined;
  /** To be called once the database has been made. */
  initialised(): Promise<void>;
}

/** Written in the data directory when the database lies elsewhere. */
interface Pointer {
  readonly directory: string;
  readonly initialised: boolean;
}

/**
 * Finds the place, or chooses it the first time: normally `database/` in the data directory. When we are root,
 * PostgreSQL runs under another account; if that cannot enter the data directory, the database lies in a directory of
 * its own below `/var/lib`, and `database.json` in the data directory says where.
 *
 * @throws MedSealError `invalid-configuration` when the database that should be there is not, or is another account's
 */
export async function findHome(dataDirectory: string, logger: Logger): Promise<Home> {
  const pointerFile = join(dataDirectory, 'database.json');
  const pointer = (await exists(pointerFile))
    ? (JSON.parse(await readFile(pointerFile, 'utf8')) as Pointer)
    : await choose(dataDirectory, pointerFile);
  const directory = pointer?.directory ?? join(dataDirectory, 'database');
  if (pointer !== undefined) logger.info({ directory }, 'the database files lie outside the data directory');
  const cluster = join(directory, 'cluster');
  if (pointer?.initialised && !(await exists(cluster))) {
    // Never start anew in its place, as after a container was replaced that had only its data directory on a volume.
    const message = `The database files in ${cluster} are gone, or this account may not enter there.`;
    throw new MedSealError('invalid-configuration', message);
  }
  await prepare(directory);
  return {
    directory,
    cluster,
    account: (await ownerOf(cluster)) ?? (await serverAccount()),
    async initialised() {
      if (pointer !== undefined) await writePointer(pointerFile, { directory, initialised: true });
    },
  };
}

async function choose(dataDirectory: string, pointerFile: string): Promise<Pointer | undefined> {
  const account = await serverAccount();
  if (await canExecute(account, dataDirectory)) return undefined;
  // Not derived from the data directory's path: a new data directory at an old path must not find an old database.
  const pointer = { directory: join('/var/lib', `medseal-${randomUUID()}`), initialised: false };
  await writePointer(pointerFile, pointer);
  return pointer;
}

async function writePointer(file: string, pointer: Pointer): Promise<void> {
  await writeDurably(file, async (handle) => {
    await handle.writeFile(`${JSON.stringify(pointer)}\n`);
  });
}

async function prepare(directory: string): Promise<void> {
  const own = process.getuid?.();
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    // The server's account must get through.
    if (made !== undefined && own === 0) await chmod(directory, 0o711);
  } catch (cause) {
    throw new MedSealError('invalid-configuration', `The database's directory ${directory} cannot be made.`, { cause });
  }
  const { uid } = await lstat(directory);
  if (own !== 0 && own !== uid) {
    throw new MedSealError('invalid-configuration', `${directory} belongs to another account (uid ${uid}).`);
  }
}

/** As root: whoever made the cluster goes on with it, whichever accounts there are by now. */
async function ownerOf(cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0 || !(await exists(cluster))) return undefined;
  const { uid, gid } = await lstat(cluster);
  return uid === 0 ? undefined : { uid, gid };
}

/**
 * A directory for the Unix socket that only the server's account may enter: in `home` unless that path is too long for a
 * socket (107 bytes on Linux, 103 on macOS), else a short one.
 */
export async function socketDirectory({ directory, account }: Home): Promise<string> {
  const inHome = join(directory, 'socket');
  const fits = Buffer.byteLength(join(inHome, '.s.PGSQL.5432')) <= 103;
  const chosen = fits ? inHome : join('/tmp', `medseal-${hash('sha256', directory).slice(0, 16)}`);
  if (!(await exists(chosen))) await makeDirectoryFor(account, chosen);
  const { uid, mode } = await lstat(chosen);
  if (uid !== (account?.uid ?? process.getuid?.()) || (mode & 0o777) !== 0o700) {
    const message = `The directory ${chosen} must belong to the database server alone.`;
    throw new MedSealError('invalid-configuration', message);
  }
  return chosen;
}
