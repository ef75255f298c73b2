import { run } from 'node:test';

/** What became of the cases of one area. */
export interface Area {
  readonly name: string;
  passed: number;
  skipped: number;
  /** Names of the cases, each with its clause. */
  readonly failed: string[];
}

/** The fields of `node:test`'s events that are looked at. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly skip?: string | boolean;
    readonly details?: { readonly type?: string };
  };
}

/** Runs the suite in a process of its own. @returns its areas, in order: the suites within the one that holds them all */
export async function runAreas(file: string, environment: NodeJS.ProcessEnv): Promise<readonly Area[]> {
  const events = run({ files: [file], env: environment }) as AsyncIterable<TestEvent>;
  return tally(events);
}

export async function tally(events: AsyncIterable<TestEvent>): Promise<readonly Area[]> {
  const areas = new Map<string, Area>();
  const names: string[] = [];
  for await (const event of events) {
    const { type, data } = event;
    const { name = '', nesting = 0 } = data;
    if (type === 'test:start') names.splice(nesting, Number.POSITIVE_INFINITY, name);
    if (!isCase(event)) continue;
    // What fails outside of any area is a failure all the same.
    const of = nesting > 1 ? (names[1] ?? '') : (names[0] ?? name);
    const area = areas.get(of) ?? { name: of, passed: 0, skipped: 0, failed: [] };
    areas.set(of, area);
    if (data.skip !== undefined && data.skip !== false) area.skipped += 1;
    else if (type === 'test:fail') area.failed.push(name);
    else area.passed += 1;
  }
  return [...areas.values()];
}

/** The end of a test; suites end too, and the file as a whole passes as a test does. */
function isCase({ type, data }: TestEvent): boolean {
  if (data.details?.type === 'suite') return false;
  return type === 'test:fail' || (type === 'test:pass' && (data.nesting ?? 0) > 0);
}

export function tableOf(areas: readonly Area[]): string {
  const rows = areas.map(({ name, passed, failed, skipped }) => [name, passed, failed.length, skipped] as const);
  const total = rows.reduce(
    ([, passed, failed, skipped], row) => ['all', passed + row[1], failed + row[2], skipped + row[3]] as const,
    ['all', 0, 0, 0] as readonly [string, number, number, number],
  );
  const width = Math.max(...rows.map(([name]) => name.length), 'area'.length);
  const line = ([name, ...figures]: readonly (string | number)[]) =>
    [String(name).padEnd(width), ...figures.map((figure) => String(figure).padStart(8))].join('');
  const lines = [line(['area', 'passed', 'failed', 'skipped']), ...rows.map(line), line(total)];
  const failures = areas.flatMap(({ name, failed }) => failed.map((one) => `  ${name}: ${one}`));
  return `${[...lines, ...(failures.length === 0 ? [] : ['', 'Failed', ...failures])].join('\n')}\n`;
}
