import { runUntilKilled } from '../support/killed-process.ts';
import type { WriterArguments } from './database-process.ts';

/** The numbers of the rows that database-process.ts had acknowledged when it was killed. */
export function writeUntilKilled(
  writer: WriterArguments,
  killAfter: number,
  kill?: (pid: number) => void,
): Promise<readonly number[]> {
  return runUntilKilled(new URL('./database-process.ts', import.meta.url), writer, killAfter, kill);
}
