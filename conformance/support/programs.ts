import { findProgram } from '../../fabric/network/programs.ts';

/** Which of these programs are not on the PATH. */
export function missingPrograms<T extends string>(programs: readonly T[]): readonly T[] {
  const { PATH = '' } = process.env;
  return programs.filter((program) => findProgram(program, PATH) === undefined);
}

/** For `node:test`: why suites that need these programs are skipped here; false where they are not. */
export function skippedWithout(...programs: readonly string[]): string | false {
  const [first] = missingPrograms(programs);
  return first === undefined ? false : `skipped: no ${first} on PATH`;
}
