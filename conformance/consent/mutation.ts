/**
 * `npm run mutate -- [--count N] [--from SEED] [--files WORD] [--near] [--jobs N] [--minutes N] [--pause FILE]
 * [--json FILE]`: small changes to the sources of consent and auth, one at a time in a copy of the tree; each must make
 * some test fail. Prints the seed, a table by file, and the survivors. The parts of the views and of what settles merges
 * have lists of their own (view-mutants.ts, merge-mutants.ts), of which every test run kills all.
 *
 * Of the mutants of each file a random share is judged, or with `--count all` every one. Those that are no valid
 * TypeScript, which `npm run check` refuses, and those that equivalents.ts names are left out of the ratio. Each
 * mutant meets the ten unit tests that load its file most directly, until one fails; those that survive them then meet
 * the black-box suites of choose-tests.ts, unless `--near` says that unit tests are enough: a lower bound, in a fraction
 * of the time. A test file that fails on the sources as they are is not asked. After `--minutes` no further mutant is
 * begun, and one that has met unit tests only has survived; while the file of `--pause` is there no further test is
 * begun, for machines where something else is measured.
 *
 * Exit code 0: at least nine of ten were killed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startSession } from '../runner/session.ts';
import { randomOf } from '../support/seed.ts';
import { createTestChooser, SUITES } from './mutation/choose-tests.ts';
import { createCopy } from './mutation/copies.ts';
import { createJudge, type Verdict } from './mutation/judge.ts';
import { lineOf, summaryOf, tableOf } from './mutation/report.ts';
import { createTestRunner } from './mutation/run-test.ts';
import { type Mutant, sampleOf, sourceMutants } from './mutation/source-mutants.ts';
import { refusedByCompiler } from './mutation/type-check.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    from: { type: 'string' },
    files: { type: 'string' },
    near: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    minutes: { type: 'string', default: 'Infinity' },
    json: { type: 'string' },
    pause: { type: 'string' },
  },
});
const began = performance.now();
const random = randomOf(Number(values.from ?? Date.now() % 2 ** 30));
const all = sourceMutants(values.files);
const count = values.count === 'all' ? all.length : Number(values.count);
const chosen = sampleOf(all, count, random);
process.stdout.write(`seed ${random.seed}: ${chosen.length} of ${all.length} mutants\n`);

const session = await startSession();
const copies = mkdtempSync(join(tmpdir(), 'mutants-'));
process.on('exit', () => rmSync(copies, { recursive: true, force: true }));
const clean = createCopy(join(copies, 'clean'));
const environment = { ...session.environment, NODE_COMPILE_CACHE: join(copies, 'compiled') };

const equivalent = chosen.filter((mutant) => mutant.equivalent !== undefined);
const rest = chosen.filter((mutant) => mutant.equivalent === undefined);
const refused = await refusedByCompiler(rest);
const waiting = rest.filter((mutant) => !refused.has(mutant));
process.stdout.write(
  `${refused.size} refused by the compiler, ${equivalent.length} equivalent, ${waiting.length} left\n`,
);

const chooser = createTestChooser();
const judge = createJudge(clean);
const verdicts = new Map<Mutant, Verdict>();
const result = () =>
  summaryOf({
    seed: random.seed,
    command: process.argv.slice(2),
    equivalent,
    refused: [...refused],
    verdicts: [...verdicts.values()],
    judge,
  });
const queue = waiting.map((mutant) => ({ mutant, tests: chooser.unitTestsOf(mutant.file) }));
await Promise.all(Array.from({ length: Number(values.jobs) }, (_, index) => work(`copy-${index}`)));
const left = await session.end();

const summary = result();
process.stdout.write(`${tableOf(summary)}\n`);
if (left.length > 0) process.stdout.write(`left behind, and ended now: ${left.length}\n`);
process.exit(summary.ratio >= 0.9 ? 0 : 1);

/** Judges what waits, one mutant after the other, in a copy of its own. */
async function work(name: string): Promise<void> {
  const copy = createCopy(join(copies, name));
  const runner = await createTestRunner(environment, values.pause);
  while (performance.now() - began < Number(values.minutes) * 60_000) {
    const next = queue.shift();
    if (next === undefined) break;
    const { mutant, tests } = next;
    const verdict = await judge.judge(mutant, tests, copy, runner).catch((error: unknown) => {
      // Ctrl-C has taken the copy away.
      if (!session.interrupted()) throw error;
    });
    if (verdict === undefined) return;
    const isSecond = verdicts.has(mutant);
    verdicts.set(mutant, verdict);
    process.stdout.write(`${verdicts.size} ${lineOf(verdict)}\n`);
    // Behind all others, so that as many as can be have met unit tests.
    if (verdict.killer === undefined && !isSecond && !values.near) queue.push({ mutant, tests: SUITES });
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result(), undefined, 2)}\n`);
  }
  await runner.end();
}
