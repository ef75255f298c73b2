import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

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
  const folders = (process.env.PATH ?? '').split(delimiter);
  return engines.filter((engine) => !folders.some((folder) => isExecutable(join(folder, engine))));
}

/** For `node:test`: why suites that need these programs are skipped here; false where they are not. */
export function skippedWithout(...engines: readonly Engine[]): string | false {
  const [first] = missingEngines(engines);
  return first === undefined ? false : `skipped: no ${first} on PATH`;
}

/** As the program itself tells it; '' when it does not. */
export function versionOf(engine: Engine): string {
  const { stdout, stderr } = spawnSync(engine, ENGINES[engine], { encoding: 'utf8' });
  return /version:?\s+v?([0-9]\S*)/i.exec(stdout + stderr)?.[1] ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be run
  }
}
