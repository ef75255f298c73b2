import { run } from 'node:test';

/** What became of the cases of one area. */
export interface Area {
  readonly name: string;
  passed: number;
  skipped: number;
  /** Names of all cases, each with its clause. */
  readonly cases: string[];
  /** Names of those that failed. */
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

/**
 * Runs the suite in a process of its own.
 *
 * @param only the areas to run; undefined for all
 * @returns its areas, in order: the suites within the one that holds them all
 */
export async function runAreas(
  file: string,
  environment: NodeJS.ProcessEnv,
  only?: readonly string[],
): Promise<readonly Area[]> {
  const testNamePatterns = only?.map((name) => new RegExp(`^${RegExp.escape(name)}$`));
  const options = { files: [file], env: environment, ...(testNamePatterns && { testNamePatterns }) };
  return tally(run(options) as AsyncIterable<TestEvent>);
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
    const area = areas.get(of) ?? { name: of, passed: 0, skipped: 0, cases: [], failed: [] };
    areas.set(of, area);
    area.cases.push(name);
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

type Figures = readonly [passed: number, failed: number, skipped: number, counted: number];
type Row = readonly [area: string, ...Figures];

/** @param isCounted whether a case of an area is known to fail on some mutant of a server */
export function tableOf(areas: readonly Area[], isCounted: (area: string, name: string) => boolean): string {
  const rows = areas.map(({ name, cases, passed, failed, skipped }): Row => {
    const counted = cases.filter((one) => isCounted(name, one)).length;
    return [name, passed, failed.length, skipped, counted];
  });
  const total = rows.reduce(
    ([, ...sum], [, ...row]): Row => ['all', sum[0] + row[0], sum[1] + row[1], sum[2] + row[2], sum[3] + row[3]],
    ['all', 0, 0, 0, 0],
  );
  const width = Math.max(...rows.map(([name]) => name.length), 'area'.length);
  const line = ([name, ...figures]: Row | readonly string[]) =>
    [String(name).padEnd(width), ...figures.map((figure) => String(figure).padStart(8))].join('');
  const lines = [line(['area', 'passed', 'failed', 'skipped', 'counted']), ...rows.map(line), line(total)];
  const failures = areas.flatMap(({ name, failed }) => failed.map((one) => `  ${name}: ${one}`));
  return `${[...lines, ...(failures.length === 0 ? [] : ['', 'Failed', ...failures])].join('\n')}\n`;
}
