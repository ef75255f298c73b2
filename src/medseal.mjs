#!/usr/bin/env node
// Runs the command on the Node that the project pins, whatever Node the machine has: this file must parse on any.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const cli = fileURLToPath(new URL('./cli.ts', import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const { main } = await import('./cli.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const pinned = pinnedNode();
  if (pinned === undefined) {
    process.stderr.write(`medseal needs Node ${NEEDED}; run npm ci in its directory first\n`);
    process.exit(2);
  }
  const child = spawn(pinned, [cli, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function pinnedNode() {
  try {
    const directory = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const node = join(directory, 'bin', 'node');
    return existsSync(node) ? node : undefined;
  } catch {
    // The package is not installed.
    return undefined;
  }
}
