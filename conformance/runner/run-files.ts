import { run } from 'node:test';
import type { Failure, FileResult, Report, Skip } from './report.ts';

export interface RunFilesOptions {
  /** Absolute. */
  readonly files: readonly string[];
  readonly concurrency: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly report: Pick<Report, 'file'>;
  /** How long a file may take before it counts as hanging, milliseconds. */
  readonly limit?: number;
}

const FILE_LIMIT_MS = 10 * 60_000;

/** What is known of a file so far. */
interface Progress {
  readonly names: string[];
  readonly failed: Failure[];
  readonly skipped: Skip[];
  passed: number;
  duration: number;
  output: string;
  /** Its process has ended. */
  ended: boolean;
  /** All that it told of its tests has arrived, which may be before or after that. */
  told: boolean;
}

/** The fields of `node:test`'s events that are looked at. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    /** Where it is declared, which for a contract suite is not the file that is run. */
    readonly file?: string;
    readonly entryFile?: string;
    readonly line?: number;
    readonly nesting?: number;
    readonly message?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: {
      readonly type?: string;
      readonly duration_ms?: number;
      readonly passed?: boolean;
      readonly error?: Error;
    };
  };
}

/** Runs each file in a process of its own, as `node --test` does, and reports it when it is over. */
export async function runFiles(options: RunFilesOptions): Promise<void> {
  const { files, concurrency, environment, report, limit = FILE_LIMIT_MS } = options;
  const open = new Map(files.map((file) => [file, newProgress()]));
  const events = run({ files: [...files], concurrency, env: environment, timeout: limit });
  for await (const event of events as AsyncIterable<TestEvent>) {
    const file = event.data.entryFile ?? event.data.file;
    const progress = file === undefined ? undefined : open.get(file);
    if (file === undefined || progress === undefined) continue;
    const { name, nesting } = event.data;
    if (name === file && nesting === 0) takeFile(event, progress);
    else takeTest(event, progress);
    if (progress.ended && progress.told) close(file, progress);
  }
  for (const [file, progress] of open) close(file, progress);

  function close(file: string, progress: Progress): void {
    if (!open.delete(file)) return;
    report.file(resultOf(file, progress), progress.output);
  }
}

function newProgress(): Progress {
  return { names: [], failed: [], skipped: [], passed: 0, duration: 0, output: '', ended: false, told: false };
}

/** What the runner says of the file's process. */
function takeFile(event: TestEvent, progress: Progress): void {
  const { type, data } = event;
  if (type === 'test:stdout' || type === 'test:stderr') progress.output += data.message ?? '';
  if (type === 'test:pass' || type === 'test:fail') progress.told = true;
  if (type !== 'test:complete') return;
  progress.ended = true;
  progress.duration = data.details?.duration_ms ?? 0;
  const { error, passed } = data.details ?? {};
  if (passed === false && !isBecauseOfSubtests(error)) progress.failed.push(failureOf(event, 'the file as a whole'));
}

/** What the file says of its tests. */
function takeTest(event: TestEvent, progress: Progress): void {
  const { type, data } = event;
  const { name = '', nesting = 0 } = data;
  switch (type) {
    case 'test:stdout':
    case 'test:stderr':
      progress.output += data.message ?? '';
      return;
    case 'test:diagnostic':
      // Such as the seed of a test that failed.
      progress.output += `${data.message}\n`;
      return;
    case 'test:summary':
      progress.told = true;
      return;
    case 'test:start':
      progress.names.splice(nesting, Number.POSITIVE_INFINITY, name);
      return;
    case 'test:pass':
    case 'test:fail':
      takeResult(event, [...progress.names.slice(0, nesting), name].join(' › '), progress);
  }
}

function takeResult(event: TestEvent, name: string, progress: Progress): void {
  const { skip, todo, details } = event.data;
  const excuse = skip ?? todo ?? false;
  if (excuse !== false) {
    progress.skipped.push({ name, reason: typeof excuse === 'string' && excuse !== '' ? excuse : 'no reason given' });
  } else if (event.type === 'test:fail') {
    if (!isBecauseOfSubtests(details?.error)) progress.failed.push(failureOf(event, name));
  } else if (details?.type !== 'suite') {
    progress.passed += 1;
  }
}

function failureOf({ data }: TestEvent, name: string): Failure {
  const error = data.details?.error;
  return { name, line: data.line, error: error?.cause ?? error };
}

/** The test around one that failed fails too; the inner one says why. */
function isBecauseOfSubtests(error: Error | undefined): boolean {
  return (error as { failureType?: unknown } | undefined)?.failureType === 'subtestsFailed';
}

function resultOf(path: string, { passed, failed, skipped, duration }: Progress): FileResult {
  const ran = passed + failed.length + skipped.length;
  const empty: Failure = { name: 'the file ran no test', line: undefined, error: 'It declares none.' };
  return { path, passed, failed: ran === 0 ? [empty] : failed, skipped, duration };
}
