import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Process, processes } from '../support/processes.ts';

/**
 * The temporary directory of one run of all tests. Every process that the tests start has it in its environment, as
 * TMPDIR, or on its command line, as PostgreSQL has, and so is found when a test leaves it behind.
 */
export interface RunDirectory {
  readonly path: string;
  /** Processes of this run, this one excepted. */
  processes(): readonly Process[];
  /** Waits a moment for those that are about to end, and ends the others. Answers with those. */
  endProcesses(grace: number): Promise<readonly Process[]>;
  remove(): Promise<void>;
}

export async function createRunDirectory(): Promise<RunDirectory> {
  // Short, for the sockets below it; others may pass through it, as PostgreSQL's account must.
  const path = await realpath(await mkdtemp(join(tmpdir(), 'ms-')));
  await chmod(path, 0o711);
  const own = () => processes().filter(({ pid, command }) => pid !== process.pid && belongs(pid, command, path));
  return {
    path,
    processes: own,
    async endProcesses(grace) {
      const deadline = Date.now() + grace;
      while (own().length > 0 && Date.now() < deadline) await delay(50);
      const left = own();
      for (const { pid } of left) endProcess(pid);
      const killed = Date.now() + 10_000;
      while (own().length > 0 && Date.now() < killed) await delay(50);
      return left;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

function belongs(pid: number, command: string, directory: string): boolean {
  return command.includes(`${directory}/`) || environment(pid).includes(`TMPDIR=${directory}`);
}

function environment(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // Ended meanwhile, of another account, or a system without /proc: then the command line has to tell.
    return [];
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
