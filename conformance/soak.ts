/**
 * `npm run soak -- --seeds N [--only WORD]…`: every test that takes a seed, with one seed after the other, and the fault
 * drills in all their modes. Exit code 0: every test passed with every seed.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { parseOptions, UsageError } from '../src/cli/usage.ts';
import { findTestFiles } from './runner/files.ts';
import { createReport } from './runner/report.ts';
import { runFiles } from './runner/run-files.ts';
import { startSession } from './runner/session.ts';
import { randomisedFiles } from './soak/randomised.ts';
import { collect, type Round, roundLine, summary } from './soak/rounds.ts';

const USAGE = `npm run soak -- [--seeds N] [--from SEED] [--only WORD]... [--list]

Runs every test that takes a seed, once with each, and the fault drills in all their modes.

--seeds N    how many seeds: 10
--from SEED  the first one, the others follow it; a new one each time when absent
--only WORD  only test files whose path contains WORD: faults/writes, locks-agree, bad-input
--list       which files there are; runs nothing

SEED=... npm test -- PATH repeats one file with one seed.
`;

/** Of one file with one seed. */
const FILE_LIMIT_MS = 60 * 60_000;

const OPTIONS = {
  seeds: { type: 'string', default: '10' },
  from: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseOptions(args, OPTIONS, 0);
    const root = process.env.MEDSEAL_TEST_ROOT ?? join(import.meta.dirname, '..');
    const files = randomisedFiles(root, findTestFiles(root, values.only));
    if (values.help || values.list) {
      process.stdout.write(values.help ? USAGE : files.map((file) => `${relative(root, file)}\n`).join(''));
      return 0;
    }
    if (files.length === 0)
      throw new UsageError(`no test that takes a seed has ${values.only.join(' or ')} in its path`);
    const first = values.from === undefined ? randomInt(2 ** 30) : wholeNumber('--from', values.from);
    return await soak(root, files, first, wholeNumber('--seeds', values.seeds));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`soak: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new UsageError(`${name} is a whole number`);
}

async function soak(root: string, files: readonly string[], first: number, count: number): Promise<number> {
  const session = await startSession();
  const write = (text: string): unknown => session.interrupted() || process.stdout.write(text);
  const report = createReport(root, write);
  const rounds: Round[] = [];
  for (let seed = first; seed < first + count && !session.interrupted(); seed++) {
    const began = performance.now();
    const collected = collect(report, (path) => relative(root, path));
    await runFiles({
      files,
      concurrency: availableParallelism(),
      environment: { ...session.environment, SEED: String(seed), MEDSEAL_SOAK: '1' },
      report: collected,
      limit: FILE_LIMIT_MS,
    });
    const seconds = (performance.now() - began) / 1000;
    rounds.push({ seed, passed: collected.passed(), failed: collected.failed, seconds });
    write(roundLine(rounds.at(-1) as Round, rounds.length, count));
  }
  const left = await session.end();
  write(summary(rounds));
  for (const command of left) write(`Left behind, and ended now: ${command}\n`);
  return left.length === 0 && rounds.every(({ failed, passed }) => failed.length === 0 && passed > 0) ? 0 : 1;
}
