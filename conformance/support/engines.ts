import { spawnSync } from 'node:child_process';
import { missingPrograms, skippedWithout as skippedWithoutPrograms } from './programs.ts';

/** The real programs that suites of the engines run, and how each tells its version. */
export const ENGINES = {
  peer: ['version'],
  orderer: ['version'],
  configtxgen: ['-version'],
  cryptogen: ['version'],
  osnadmin: ['--help'],
  ipfs: ['--version'],
} as const;
export type Engine = keyof typeof ENGINES;

/** Which of them are not on the PATH. */
export function missingEngines(engines: readonly Engine[] = Object.keys(ENGINES) as Engine[]): readonly Engine[] {
  return missingPrograms(engines);
}

/** For `node:test`: why suites that need these programs are skipped here; false where they are not. */
export function skippedWithout(...engines: readonly Engine[]): string | false {
  return skippedWithoutPrograms(...engines);
}

/** As the program itself tells it; '' when it does not. */
export function versionOf(engine: Engine): string {
  const { stdout, stderr } = spawnSync(engine, ENGINES[engine], { encoding: 'utf8' });
  return /version:?\s+v?([0-9]\S*)/i.exec(stdout + stderr)?.[1] ?? '';
}
