import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Which of these programs are not on the PATH. */
export function missingPrograms<T extends string>(programs: readonly T[]): readonly T[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return programs.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))));
}

/** For `node:test`: why suites that need these programs are skipped here; false where they are not. */
export function skippedWithout(...programs: readonly string[]): string | false {
  const [first] = missingPrograms(programs);
  return first === undefined ? false : `skipped: no ${first} on PATH`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be run
  }
}
