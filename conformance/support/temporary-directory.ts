import { rmSync } from 'node:fs';
import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.on('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/**
 * A new directory that is removed, with all that is in it, when the test file's process ends: after every `after` hook,
 * which run in the order of their registration. Others may pass through it but not list it, so that an embedded database
 * that runs under another account reaches its own files below.
 */
export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'medseal-test-')));
  made.push(directory);
  await chmod(directory, 0o711);
  return directory;
}
