import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MedSealError } from '../../../errors.ts';
import type { Account } from './server-account.ts';

/** One run of PostgreSQL's main process. */
export interface Postmaster {
  /** Resolves when it has ended, however that came. */
  readonly ended: Promise<void>;
  /** Fast shutdown: open transactions are rolled back, a checkpoint is written. Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface Launch {
  readonly postgres: string;
  readonly cluster: string;
  /** postgresql.conf */
  readonly settings: string;
  readonly account: Account | undefined;
  /** Whether it accepts connections yet. */
  readonly isReady: () => Promise<boolean>;
}

/** How long a start may take, recovery from a crash included, and how long an orderly stop. */
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;
const POLL_MS = 10;

/**
 * Starts PostgreSQL and waits until it accepts connections. The caller holds the lock on the data directory, so a server
 * that still runs on the same cluster has lost its MedSeal to `kill -9`, and is stopped first.
 *
 * @throws MedSealError `storage-unavailable` with what PostgreSQL said when it ends instead
 */
export async function launch(options: Launch): Promise<Postmaster> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    await stopOrphan(options.cluster);
    const attempt = spawnServer(options);
    const said = await untilReady(attempt, options, deadline);
    if (said === undefined) return attempt;
    // Processes of a server that was killed let go of the shared memory one by one.
    const occupied = /lock file .* already exists|pre-existing shared memory block/.test(said);
    if (!occupied || Date.now() > deadline) {
      throw new MedSealError('storage-unavailable', `The embedded database did not start: ${said}`);
    }
    await delay(5 * POLL_MS);
  }
}

interface Attempt extends Postmaster {
  hasEnded(): boolean;
  /** The end of what it wrote before its log was open. */
  said(): string;
}

function spawnServer({ postgres, cluster, settings, account }: Launch): Attempt {
  // A session of its own: Ctrl-C in a terminal is for us, and we stop the server when we are done with it.
  const server = spawn(postgres, ['-D', cluster, '-c', `config_file=${settings}`], {
    ...account,
    cwd: '/',
    env: { LC_ALL: 'C' },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  let over = false;
  const guard = server.pid === undefined ? undefined : spawnGuard(server.pid, account);
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      guard?.kill('SIGKILL');
      resolve();
    };
    server.on('close', end);
    server.on('error', (error) => {
      said += error.message;
      if (server.pid === undefined) end();
    });
  });
  return {
    ended,
    hasEnded: () => over,
    said: () => said.trim(),
    async stop() {
      server.kill('SIGINT');
      // Immediate shutdown: the next start recovers from the log.
      const impatient = setTimeout(() => server.kill('SIGQUIT'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(impatient);
    },
  };
}

/**
 * Waits for its standard input to close, which happens when this process is gone, however that came, and then stops the
 * server, which would otherwise go on and block the next start.
 */
function spawnGuard(server: number, account: Account | undefined): ChildProcess {
  const script = 'read -r _; kill -INT "$1"';
  return spawn('/bin/sh', ['-c', script, 'medseal-guard', String(server)], {
    ...account,
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** undefined when the server is ready, else what it said before it ended. */
async function untilReady(attempt: Attempt, options: Launch, deadline: number): Promise<string | undefined> {
  while (!attempt.hasEnded()) {
    if (await options.isReady()) return undefined;
    if (Date.now() > deadline) {
      await attempt.stop();
      return `it was not ready after ${START_LIMIT_MS / 1000} s. ${attempt.said()}`;
    }
    await delay(POLL_MS);
  }
  return attempt.said();
}

async function stopOrphan(cluster: string): Promise<void> {
  const pid = await orphan(cluster);
  if (pid === undefined) return;
  signal(pid, 'SIGINT');
  const deadline = Date.now() + STOP_LIMIT_MS;
  while ((await orphan(cluster)) === pid) {
    if (Date.now() > deadline) signal(pid, 'SIGQUIT');
    await delay(POLL_MS);
  }
}

/** It may have ended since it was looked for. */
function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ESRCH') throw error;
  }
}

/** The process that serves this cluster, by PostgreSQL's own lock file; its id may meanwhile be another program's. */
async function orphan(cluster: string): Promise<number | undefined> {
  const pid = Number.parseInt(await lockFileOf(cluster), 10);
  if (!(pid > 0)) return undefined;
  return (await commandLine(pid)).includes(cluster) ? pid : undefined;
}

/** Empty when there is none: one that is ending takes it away at any moment. */
async function lockFileOf(cluster: string): Promise<string> {
  try {
    return await readFile(join(cluster, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return '';
    throw error;
  }
}

/** Empty when there is no such process. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return (await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)])).stdout;
  } catch (error) {
    // No such process: the file is absent, or becomes unreadable while it is read; `ps` ends with 1.
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 'ESRCH' || code === 1) return '';
    throw error;
  }
}
