import { execFile } from 'node:child_process';
import { lchown, mkdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The account that PostgreSQL runs under, as it refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** undefined: PostgreSQL runs as whoever runs this process. */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find(([name]) => name === wanted) ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: NOBODY, gid: NOBODY };
}

const NOBODY = 65534;

/**
 * Whether `account` may enter a directory or execute a file. Asked by trying, as that account: modes alone do not tell
 * about access lists and mounts.
 */
export async function canExecute(account: Account | undefined, path: string): Promise<boolean> {
  if (account === undefined) return true;
  try {
    await promisify(execFile)('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...account, cwd: '/', env: {} });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return false;
    throw error;
  }
}

/** Makes a new directory that `account` alone may enter. */
export async function makeDirectoryFor(account: Account | undefined, path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (account !== undefined) await lchown(path, account.uid, account.gid);
}
