import type { FileResult, Report } from '../runner/report.ts';

/** What became of the test files with one seed. */
export interface Round {
  readonly seed: number;
  readonly passed: number;
  /** `path: test` of each that failed. */
  readonly failed: readonly string[];
  readonly seconds: number;
}

/** Takes the files' results; those that failed are passed on, to be told in full. */
export function collect(
  report: Pick<Report, 'file'>,
  shown: (path: string) => string,
): Pick<Report, 'file'> & { readonly passed: () => number; readonly failed: readonly string[] } {
  const failed: string[] = [];
  let passed = 0;
  return {
    failed,
    passed: () => passed,
    file(result: FileResult, output) {
      passed += result.passed;
      failed.push(...result.failed.map(({ name }) => `${shown(result.path)}: ${name}`));
      if (result.failed.length > 0) report.file(result, output);
    },
  };
}

export function roundLine({ seed, passed, failed, seconds }: Round, number: number, count: number): string {
  const bad = failed.length === 0 ? '' : `, ${failed.length} FAILED`;
  return `${number} of ${count}: SEED=${seed}: ${passed} tests passed${bad}, ${seconds.toFixed(0)} s\n`;
}

/** How each failure is repeated. */
export function summary(rounds: readonly Round[]): string {
  const passed = rounds.reduce((sum, round) => sum + round.passed, 0);
  const failures = rounds.flatMap(({ seed, failed }) => failed.map((name) => ({ seed, name })));
  const lines = failures.map(({ seed, name }) => `  SEED=${seed} npm test -- ${name.replace(': ', '   # ')}`);
  return [
    '',
    ...(lines.length > 0 ? ['Failed; to repeat:', ...lines, ''] : []),
    `${rounds.length} seeds: ${passed} tests passed, ${failures.length} failed\n`,
  ].join('\n');
}
