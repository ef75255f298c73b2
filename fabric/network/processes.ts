import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Layout } from './layout.ts';
import { childEnvironment } from './programs.ts';

/** A process of the network, as it is started, and started again. */
export interface NodeProcess {
  /** `hospital-a.peer` */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How long a node may take to end by itself, milliseconds. */
const GRACE = 5000;

/**
 * Starts a node that outlives us, with its output in its log. Its process id is in a file before anything else is done:
 * `end` finds it there, whoever was killed meanwhile.
 */
export function start(node: NodeProcess, files: Layout): void {
  if (pidOf(node.name, files) !== undefined) return;
  for (const file of [files.log(node.name), files.pid(node.name)]) mkdirSync(dirname(file), { recursive: true });
  const log = openSync(files.log(node.name), 'a');
  const child = spawn(node.command, node.args, {
    cwd: files.root,
    env: childEnvironment(node.environment),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  // Told of below, where it can be caught.
  child.once('error', () => undefined);
  if (child.pid === undefined) throw new Error(`${node.command} could not be started`);
  writeFileSync(files.pid(node.name), `${child.pid} ${startOf(child.pid) ?? ''}`);
  child.unref();
}

/** The id of a node's process while it runs. A process that only has the same id is not it. */
export function pidOf(node: string, files: Layout): number | undefined {
  const [, pid = '', started] = /^(\d+) (.*)$/s.exec(read(files.pid(node)) ?? '') ?? [];
  return started !== undefined && started !== '' && startOf(Number(pid)) === started ? Number(pid) : undefined;
}

/** Sends a signal to a node's process, if it runs. */
export function signal(node: string, files: Layout, name: NodeJS.Signals): void {
  const pid = pidOf(node, files);
  if (pid !== undefined) process.kill(pid, name);
}

/** Ends nodes, by force when they do not end soon. Afterwards none of their processes is left. */
export async function end(nodes: readonly string[], files: Layout, name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  for (const node of nodes) signal(node, files, name);
  // One that is paused ends only when it goes on.
  for (const node of nodes) signal(node, files, 'SIGCONT');
  const running = () => nodes.filter((node) => pidOf(node, files) !== undefined);
  for (let waited = 0; running().length > 0 && waited < GRACE; waited += 20) await delay(20);
  for (const node of running()) signal(node, files, 'SIGKILL');
  while (running().length > 0) await delay(20);
  for (const node of nodes) rmSync(files.pid(node), { force: true });
}

/** When a process began, in the system's own words; undefined when there is none, or only its remains. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    try {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
    } catch {
      return undefined; // no such process
    }
  }
  const stat = read(`/proc/${pid}/stat`);
  // Fields 3 and 22, counted after the name, which may hold spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // not there
  }
}
