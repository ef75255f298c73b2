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
const GRACE = 2500;

const words = process.argv.slice(2);
const root = process.env.MEDSEAL_TEST_ROOT ?? join(import.meta.dirname, '..');
const files = findTestFiles(root, words);
if (files.length === 0) {
  process.stderr.write(`No test file's path contains ${words.join(' or ')}\n`);
  process.exit(2);
}

const started = performance.now();
const directory = await createRunDirectory();
process.env.TMPDIR = directory.path;
const starting = startTestServer();

/** Answers with what had to be ended by force. */
async function cleanUp(grace: number): Promise<readonly string[]> {
  const server = await starting;
  await server.stop();
  const left = await directory.endProcesses(grace);
  await directory.remove();
  return left.map(({ command }) => command);
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    interrupted = true;
    await cleanUp(0);
    process.stdout.write('Interrupted; nothing is left running.\n');
    process.exit(130);
  });
}

const { url } = await starting;
const report = createReport(root, (text) => interrupted || process.stdout.write(text));
await runFiles({
  files,
  concurrency: availableParallelism(),
  environment: { ...process.env, MEDSEAL_TEST_POSTGRES: url },
  report,
});
if (!interrupted) {
  const left = await cleanUp(GRACE);
  process.exit(report.summary((performance.now() - started) / 1000, left) ? 0 : 1);
}
