/**
 * `npm test [-- WORD…]`: every test of the project, or those whose path contains one of the words. One PostgreSQL serves
 * all of them. Exit code 0: every test passed, every file ran one, and no process was left behind.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findTestFiles } from './runner/files.ts';
import { createReport } from './runner/report.ts';
import { createRunDirectory } from './runner/run-directory.ts';
import { runFiles } from './runner/run-files.ts';
import { startTestServer } from './support/test-server.ts';

/** How long the last processes of the tests may take to end by themselves, milliseconds. */
const GRACE = 5000;

const words = process.argv.slice(2);
const root = process.env.MEDSEAL_TEST_ROOT ?? join(import.meta.dirname, '..');
const files = findTestFiles(root, words);
if (files.length === 0) {
  process.stderr.write(`No test file's path contains ${words.join(' or ')}\n`);
  process.exit(2);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(signal));

const started = performance.now();
const directory = await createRunDirectory();
process.env.TMPDIR = directory.path;
const server = await startTestServer();
let passed = false;
try {
  const report = createReport(root, (text) => process.stdout.write(text));
  const environment = { ...process.env, MEDSEAL_TEST_POSTGRES: server.url };
  await runFiles({
    files,
    concurrency: availableParallelism(),
    environment,
    signal: interrupted.signal,
    report,
  });
  await server.stop();
  const left = await directory.endProcesses(interrupted.signal.aborted ? 0 : GRACE);
  if (interrupted.signal.aborted) process.stdout.write('Interrupted; nothing is left running.\n');
  else
    passed = report.summary(
      (performance.now() - started) / 1000,
      left.map(({ command }) => command),
    );
} finally {
  await server.stop();
  await directory.endProcesses(0);
  await directory.remove();
}
process.exit(passed ? 0 : 1);
