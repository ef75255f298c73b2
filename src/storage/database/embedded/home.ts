import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MedSealError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { exists, writeDurably } from '../../files.ts';
import { type Account, canExecute, giveTo, serverAccount } from './server-account.ts';

/** Where the files of the database lie, and the account that owns them and runs the server. */
export interface Home {
  /** Only `account` may enter it. */
  readonly directory: string;
  readonly account: Account | undefined;
  /** The database was made before: it must not be made again when it is not there. */
  readonly mustExist: boolean;
  /** To be called once the database has been made. */
  initialised(): Promise<void>;
}

/** Written in the data directory when the database lies elsewhere. */
interface Pointer {
  readonly directory: string;
  readonly initialised: boolean;
}

/**
 * Normally `database/` in the data directory. When we are root, PostgreSQL runs under another account; if that cannot
 * enter the data directory, the database lies in a directory of its own below `/var/lib`, and `database.json` in the
 * data directory says where.
 */
export async function findHome(dataDirectory: string, logger: Logger): Promise<Home> {
  const pointerFile = join(dataDirectory, 'database.json');
  const pointer = (await exists(pointerFile))
    ? (JSON.parse(await readFile(pointerFile, 'utf8')) as Pointer)
    : await choose(dataDirectory, pointerFile);
  const directory = pointer?.directory ?? join(dataDirectory, 'database');
  if (pointer !== undefined) logger.info({ directory }, 'the database files lie outside the data directory');
  return {
    directory,
    account: await prepare(directory),
    mustExist: pointer?.initialised ?? false,
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

/** Creates the directory if need be. An existing one keeps its owner, whoever `postgres` is by now. */
async function prepare(directory: string): Promise<Account | undefined> {
  const account = await serverAccount();
  if (await exists(directory)) {
    const { uid, gid } = await lstat(directory);
    if (account === undefined && uid !== process.getuid?.()) {
      throw new MedSealError('invalid-configuration', `${directory} belongs to another account (uid ${uid}).`);
    }
    if (uid !== 0) return account && { uid, gid };
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await giveTo(account, directory);
  return account;
}

/**
 * The directory of the Unix socket: in `home` unless that path is too long for one (107 bytes on Linux, 103 on macOS),
 * else a short one that is checked to be ours alone.
 */
export async function socketDirectory({ directory, account }: Home, shortName: string): Promise<string> {
  const inHome = join(directory, 'socket');
  const fits = Buffer.byteLength(join(inHome, SOCKET_NAME)) <= 103;
  const chosen = fits ? inHome : join('/tmp', shortName);
  const made = await mkdir(chosen, { recursive: true, mode: 0o700 });
  if (made !== undefined) await giveTo(account, chosen);
  const { uid, mode } = await lstat(chosen);
  if (uid !== (account?.uid ?? process.getuid?.()) || (mode & 0o777) !== 0o700) {
    throw new MedSealError(
      'invalid-configuration',
      `The directory ${chosen} must belong to the database server alone.`,
    );
  }
  return chosen;
}

const SOCKET_NAME = '.s.PGSQL.5432';
