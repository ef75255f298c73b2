/** HAPI's Java client as Maven Central has it, at the version of java/pom.xml. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'node:test';
import { skippedWithout } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startServerToDrive, succeeded, testSteps } from './driven.ts';

const STEPS = [
  'capabilities',
  'create, read, vread',
  'update with If-Match',
  'conditional create',
  'conditional update',
  'patch',
  'search, all pages',
  'search by POST, with _revinclude',
  'transaction',
  'history',
  'operations',
  'delete',
  'errors as its own exceptions',
];

const skip = skippedWithout('java', 'mvn');

suite('clients of Java', { skip }, async () => {
  if (skip !== false) return;
  const directory = join(await temporaryDirectory(), 'java');
  await cp(join(import.meta.dirname, 'java'), directory, { recursive: true });
  const maven = ['mvn', '--batch-mode', '--quiet', '--no-transfer-progress'];
  await succeeded([...maven, 'compile', 'exec:help'], {}, directory);
  const drive = await startServerToDrive();
  suite('HAPI', () => testSteps(STEPS, () => drive([...maven, '--offline', 'exec:java'], directory)));
});
