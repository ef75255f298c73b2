import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MedSealError } from '../errors.ts';

/** Held until `release`, or until the process ends, however it ends. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Makes this process the only user of a directory. Node has no `flock`, and a file with a process id in it goes stale
 * after `kill -9` and lies once that id is used again; SQLite, which is part of Node, takes an operating-system lock
 * that ends with its process. Nothing is ever stored in the file.
 *
 * @throws MedSealError `invalid-configuration` when another process, or this one, holds the lock already.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock');
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(path, { timeout: 0 });
    file.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    file?.close();
    const busy = (cause as { errcode?: number }).errcode === SQLITE_BUSY;
    const why = busy ? 'is in use by another MedSeal process' : 'cannot be locked';
    throw new MedSealError('invalid-configuration', `The directory ${directory} ${why}.`, { cause });
  }
  const held = file;
  return { release: () => held.close() };
}

const SQLITE_BUSY = 5;
