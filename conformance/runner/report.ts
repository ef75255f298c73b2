import { relative } from 'node:path';
import { inspect } from 'node:util';

/** What became of one test file. */
export interface FileResult {
  readonly path: string;
  readonly passed: number;
  readonly failed: readonly Failure[];
  readonly skipped: readonly Skip[];
  /** Milliseconds. */
  readonly duration: number;
}

export interface Failure {
  /** The names of the tests around it and its own, outermost first. */
  readonly name: string;
  readonly line: number | undefined;
  readonly error: unknown;
}

export interface Skip {
  readonly name: string;
  readonly reason: string;
}

/** A line for each file, its failures in full, and a closing summary. */
export interface Report {
  file(result: FileResult, output: string): void;
  /** @returns whether everything passed */
  summary(seconds: number, leftBehind: readonly string[]): boolean;
}

const SLOWEST = 10;

/** @param verbose shows what files wrote although nothing failed */
export function createReport(root: string, write: (text: string) => unknown, verbose = false): Report {
  const results: FileResult[] = [];
  const shown = (path: string): string => relative(root, path);
  const line = (text = ''): void => void write(`${text}\n`);

  return {
    file(result, output) {
      results.push(result);
      const { path, passed, failed, skipped, duration } = result;
      const counts = [`${passed} passed`, ...counted(skipped.length, 'skipped'), ...counted(failed.length, 'FAILED')];
      line(`${failed.length > 0 ? '✖' : '✔'} ${shown(path)}  ${counts.join(', ')}  ${seconds(duration)}`);
      for (const failure of failed) {
        const place = failure.line === undefined ? '' : `:${failure.line}`;
        line(`\n  ✖ ${failure.name}  (${shown(path)}${place})`);
        line(indented(inspect(failure.error, { depth: 8, maxStringLength: 10_000, maxArrayLength: 200 })));
      }
      if ((verbose || failed.length > 0) && output !== '') line(`\n  It wrote:\n${indented(output)}`);
    },
    summary(total, leftBehind) {
      const failures = results.flatMap(({ path, failed }) =>
        failed.map((failure) => `${shown(path)}: ${failure.name}`),
      );
      const skips = results.flatMap(({ path, skipped }) => skipped.map((skip) => ({ ...skip, path: shown(path) })));
      line();
      line('Suites');
      for (const [folder, sum] of byFolder(results, shown)) {
        line(`  ${folder.padEnd(32)} ${String(sum.passed).padStart(6)} passed  ${seconds(sum.duration).padStart(8)}`);
      }
      line('Slowest files');
      for (const { path, duration } of results.toSorted((a, b) => b.duration - a.duration).slice(0, SLOWEST)) {
        line(`  ${seconds(duration).padStart(8)}  ${shown(path)}`);
      }
      if (skips.length > 0) line('Skipped');
      for (const { path, name, reason } of skips) line(`  ${path}: ${name}: ${reason}`);
      if (failures.length > 0) line('Failed');
      for (const failure of failures) line(`  ${failure}`);
      if (leftBehind.length > 0) line('Left behind, and ended now');
      for (const command of leftBehind) line(`  ${command}`);
      const passed = results.reduce((sum, result) => sum + result.passed, 0);
      line();
      line(
        `${results.length} files: ${passed} tests passed, ${failures.length} failed, ${skips.length} skipped, in ${total.toFixed(0)} s`,
      );
      return failures.length === 0 && leftBehind.length === 0 && passed > 0;
    },
  };
}

interface Sum {
  readonly passed: number;
  readonly duration: number;
}

/** By the first two segments of the path: `src/auth`, `conformance/rest`. */
function byFolder(results: readonly FileResult[], shown: (path: string) => string): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { path, passed, duration } of results) {
    const folder = shown(path).split('/').slice(0, -1).slice(0, 2).join('/');
    const before = sums.get(folder) ?? { passed: 0, duration: 0 };
    sums.set(folder, { passed: before.passed + passed, duration: before.duration + duration });
  }
  return sums;
}

function counted(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((one) => `    ${one}`)
    .join('\n');
}
