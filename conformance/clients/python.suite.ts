/** Python's clients as PyPI has them, at the versions of python/requirements.txt. */
import { join } from 'node:path';
import { suite } from 'node:test';
import { skippedWithout } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startServerToDrive, succeeded, testSteps } from './driven.ts';

const SCRIPTS = join(import.meta.dirname, 'python');

const STEPS = {
  fhirclient: [
    'capabilities',
    'create, read, vread',
    'update with If-Match',
    'conditional create',
    'search, all pages',
    'search with _revinclude',
    'transaction',
    'history',
    'delete',
    'errors as its own exceptions',
  ],
  fhirpy: [
    'capabilities',
    'create, read, vread',
    'read again, not modified',
    'update with If-Match',
    'conditional create',
    'conditional update',
    'search, all pages',
    'count',
    'search, all pages, asynchronously',
    'search with _revinclude and _has',
    'transaction',
    'history',
    'validation',
    'delete',
    'errors as its own exceptions',
  ],
} as const;

const skip = skippedWithout('python3');

suite('clients of Python', { skip }, async () => {
  if (skip !== false) return;
  const environment = join(await temporaryDirectory(), 'venv');
  const python = join(environment, 'bin', 'python');
  await succeeded(['python3', '-m', 'venv', environment]);
  await succeeded([python, '-m', 'pip', 'install', '--quiet', '--requirement', join(SCRIPTS, 'requirements.txt')]);
  const drive = await startServerToDrive();
  for (const [client, steps] of Object.entries(STEPS))
    suite(client, () => testSteps(steps, () => drive([python, join(SCRIPTS, `drive_${client}.py`)])));
});
