/**
 * `npm run test:engines [-- WORD…]`: the suites that run against the real programs, Hyperledger Fabric's and Kubo's:
 * every test file with `engine` or `kubo` in its path. `npm test` runs them too, where the programs are, and skips them where they
 * are not; this fails there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ENGINES, type Engine, missingEngines, versionOf } from './support/engines.ts';

const missing = missingEngines();
if (missing.length > 0) {
  process.stderr.write(`Not on the PATH: ${missing.join(', ')}. fabric/README.md says where the releases come from\n`);
  process.exit(1);
}
for (const engine of Object.keys(ENGINES) as Engine[])
  process.stdout.write(`${engine.padEnd(12)} ${versionOf(engine) || 'present, tells no version'}\n`);

const words = process.argv.slice(2);
const run = join(import.meta.dirname, 'run.ts');
const child = spawn(process.execPath, [run, ...(words.length > 0 ? words : ['engine', 'kubo'])], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
const [code] = await once(child, 'exit');
process.exitCode = typeof code === 'number' ? code : 1;
