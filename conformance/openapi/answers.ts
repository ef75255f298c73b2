import { table } from '../performance/table.ts';

/** What the cases of one operation were answered. */
export interface Tally {
  /** operationId */
  readonly operation: string;
  /** Cases by class of status, `2xx` to `5xx`; `none` where there was no answer. */
  readonly classes: Readonly<Partial<Record<string, number>>>;
  /** Milliseconds of the slowest answer. */
  readonly slowest: number;
}

interface Line {
  readonly operation: string;
  readonly status: number;
  readonly milliseconds: number;
}

const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'none'] as const;

/** @param text JSON lines, as hooks.py writes them */
export function tallies(text: string): readonly Tally[] {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return [...Map.groupBy(lines, ({ operation }) => operation)].map(([operation, answers]) => {
    const counts = Map.groupBy(answers, ({ status }) => (status === 0 ? 'none' : `${Math.floor(status / 100)}xx`));
    const classes = Object.fromEntries([...counts].map(([name, { length }]) => [name, length]));
    return { operation, classes, slowest: Math.max(...answers.map(({ milliseconds }) => milliseconds)) };
  });
}

/** Operations and classes of status. */
export function tallyTable(all: readonly Tally[]): string {
  const rows = all.map(({ operation, classes, slowest }) => [
    operation,
    ...CLASSES.map((name) => String(classes[name] ?? '')),
    String(slowest),
  ]);
  const sums = CLASSES.map((name) => String(all.reduce((sum, { classes }) => sum + (classes[name] ?? 0), 0)));
  const total = ['all', ...sums, String(Math.max(0, ...all.map(({ slowest }) => slowest)))];
  return table(['operation', ...CLASSES, 'slowest, ms'], [...rows, total]);
}

/** What must have been seen of an operation. */
export interface Expected {
  readonly operation: string;
  readonly classes: readonly ('2xx' | '4xx')[];
}

/** @returns `operation: 2xx` for each class that no case of the operation was answered with */
export function unseen(all: readonly Tally[], expected: readonly Expected[]): readonly string[] {
  const known = new Map(all.map((one) => [one.operation, one.classes]));
  return expected.flatMap(({ operation, classes }) =>
    classes.filter((name) => known.get(operation)?.[name] === undefined).map((name) => `${operation}: ${name}`),
  );
}
