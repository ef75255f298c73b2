import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Runs a script that prints a number a line for each thing that it has made durable, and kills it, by default with
 * `kill -9`, at the `killAfter`-th; or it kills itself. Answers with the numbers, up to its very end.
 */
export async function runUntilKilled(
  script: URL,
  arguments_: object,
  killAfter: number,
  kill: (pid: number) => void = (pid) => process.kill(pid, 'SIGKILL'),
): Promise<readonly number[]> {
  const child = spawn(process.execPath, [fileURLToPath(script), JSON.stringify(arguments_)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === killAfter && child.pid !== undefined) kill(child.pid);
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'the process ended by itself');
  return acknowledged;
}
