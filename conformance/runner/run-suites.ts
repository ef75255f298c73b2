import { join } from 'node:path';
import { createReport } from './report.ts';
import { runFiles } from './run-files.ts';
import { startSession } from './session.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Of programs that come from registries first, milliseconds. */
const LIMIT = 30 * 60_000;

/**
 * Runs suites that `npm test` leaves out, one after the other, as it runs its own; then ends this process.
 *
 * @param files absolute
 * @param verbose shows what they wrote although nothing failed
 */
export async function runSuites(files: readonly string[], verbose = false): Promise<void> {
  const started = performance.now();
  const session = await startSession();
  const report = createReport(ROOT, (text) => session.interrupted() || process.stdout.write(text), verbose);
  await runFiles({ files, concurrency: 1, environment: session.environment, report, limit: LIMIT });
  if (session.interrupted()) return;
  const left = await session.end();
  process.exit(report.summary((performance.now() - started) / 1000, left) ? 0 : 1);
}
