import type { Judge, Verdict } from './judge.ts';
import type { Mutant } from './source-mutants.ts';

/** What became of a run, as `--json` writes it. */
export interface Summary {
  readonly seed: number;
  readonly command: readonly string[];
  /** Of those that were judged. */
  readonly killed: number;
  readonly hung: number;
  readonly survived: number;
  /** Killed of judged. */
  readonly ratio: number;
  /** Left out of the ratio. */
  readonly refusedByCompiler: number;
  readonly equivalent: readonly (Place & { readonly why: string | undefined })[];
  /** They fail without any mutant, and were not asked. */
  readonly failingTests: readonly string[];
  readonly files: readonly FileSummary[];
  readonly survivors: readonly Place[];
  /** How many each test file noticed first. */
  readonly killers: Readonly<Record<string, number>>;
}

interface Place {
  readonly at: string;
  readonly was: string;
  readonly becomes: string;
}

interface FileSummary {
  readonly file: string;
  readonly judged: number;
  readonly killed: number;
}

export interface RunState {
  readonly seed: number;
  readonly command: readonly string[];
  readonly equivalent: readonly Mutant[];
  readonly refused: readonly Mutant[];
  readonly verdicts: readonly Verdict[];
  readonly judge: Pick<Judge, 'failing'>;
}

export function summaryOf({ seed, command, equivalent, refused, verdicts, judge }: RunState): Summary {
  const killed = verdicts.filter(({ killer }) => killer !== undefined);
  const survivors = verdicts.filter(({ killer }) => killer === undefined).map(({ mutant }) => placeOf(mutant));
  const byFile = Object.entries(Object.groupBy(verdicts, ({ mutant }) => mutant.file));
  const byKiller = Object.entries(Object.groupBy(killed, ({ killer = '' }) => killer));
  return {
    seed,
    command,
    killed: killed.length,
    hung: killed.filter(({ hung }) => hung).length,
    survived: survivors.length,
    ratio: verdicts.length === 0 ? 0 : killed.length / verdicts.length,
    refusedByCompiler: refused.length,
    equivalent: equivalent.map((mutant) => ({ ...placeOf(mutant), why: mutant.equivalent })),
    failingTests: judge.failing(),
    files: byFile
      .map(([file, of = []]) => ({ file, judged: of.length, killed: of.filter(({ killer }) => killer).length }))
      .sort((a, b) => (a.file < b.file ? -1 : 1)),
    survivors: survivors.sort((a, b) => (a.at < b.at ? -1 : 1)),
    killers: Object.fromEntries(byKiller.map(([test, of = []]) => [test, of.length])),
  };
}

function placeOf({ file, line, was, becomes }: Mutant): Place {
  return { at: `${file}:${line}`, was, becomes };
}

export function lineOf({ mutant, killer, hung }: Verdict): string {
  const { at, was, becomes } = placeOf(mutant);
  return `${hung ? 'hung ' : ''}${killer ?? 'SURVIVED'} ${at}\n    ${was}\n    ${becomes}`;
}

export function tableOf({ files, survivors, equivalent, failingTests, ...sum }: Summary): string {
  return [
    'File                                        judged  killed',
    ...files.map(({ file, judged, killed }) => `${file.padEnd(44)}${pad(judged)}  ${pad(killed)}`),
    ...(failingTests.length === 0 ? [] : ['Not asked, because they fail without any mutant', ...failingTests]),
    ...(survivors.length === 0 ? [] : ['Survivors']),
    ...survivors.map(({ at, was, becomes }) => `${at}\n    ${was}\n    ${becomes}`),
    `seed ${sum.seed}: ${sum.killed} of ${sum.killed + sum.survived} killed (${(100 * sum.ratio).toFixed(1)} %), ` +
      `${sum.hung} of them because a test hung; left out: ${sum.refusedByCompiler} that the compiler refuses, ` +
      `${equivalent.length} that change nothing`,
  ].join('\n');
}

function pad(count: number): string {
  return String(count).padStart(6);
}
