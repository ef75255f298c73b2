/**
 * `npm test [-- WORD…]`: every test of the project, or those whose path contains one of the words. One PostgreSQL serves
 * all of them. Exit code 0: every test passed, every file ran one, and no process was left behind.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findTestFiles } from './runner/files.ts';
import { createReport } from './runner/report.ts';
import { runFiles } from './runner/run-files.ts';
import { startSession } from './runner/session.ts';

const words = process.argv.slice(2);
const root = process.env.MEDSEAL_TEST_ROOT ?? join(import.meta.dirname, '..');
const files = findTestFiles(root, words);
if (files.length === 0) {
  process.stderr.write(`No test file's path contains ${words.join(' or ')}\n`);
  process.exit(2);
}

const started = performance.now();
const session = await startSession();
const report = createReport(root, (text) => session.interrupted() || process.stdout.write(text));
await runFiles({ files, concurrency: availableParallelism(), environment: session.environment, report });
if (!session.interrupted()) {
  const left = await session.end();
  process.exit(report.summary((performance.now() - started) / 1000, left) ? 0 : 1);
}
