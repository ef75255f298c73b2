import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { processes } from '../support/processes.ts';

/** CPU that processes have taken so far, user and system, in microseconds. */
export interface Usage {
  readonly server: number;
  /** PostgreSQL's main process and all its children, those that ended too. */
  readonly postgres: number;
  /** This process. */
  readonly client: number;
}

/** Kernels count in ticks, by default of 10 ms. */
const TICK = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export function usageOf(server: number, postgres: number): Usage {
  const { user, system } = process.cpuUsage();
  const children = processes().filter(({ parent }) => parent === postgres);
  const live = children.map(({ pid }) => cpuOf(pid).own);
  const main = cpuOf(postgres);
  return {
    server: cpuOf(server).own,
    postgres: live.reduce((sum, own) => sum + own, main.own + main.ended),
    client: user + system,
  };
}

function cpuOf(pid: number): { readonly own: number; readonly ended: number } {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ESRCH')
      throw error;
    return { own: 0, ended: 0 }; // ended meanwhile: its parent has it now
  }
}

/** Of `/proc/PID/stat`: own time, and that of children that were waited for, in microseconds (proc(5)). */
export function parseStat(stat: string, tick = TICK): { readonly own: number; readonly ended: number } {
  // After the name, which may hold spaces, comes field 3.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (number: number): number => (fields[number - 3] ?? 0) * tick;
  return { own: field(14) + field(15), ended: field(16) + field(17) };
}

/** From now on the peak is counted anew. */
export function resetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The largest resident set so far, bytes. */
export function peakMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
