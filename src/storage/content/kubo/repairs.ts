import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../logger.ts';
import type { RepairReport } from './repair.ts';

export interface Repairs {
  /** Nodes may differ. */
  need(): void;
  /** Runs until the store is closed. */
  run(): Promise<void>;
}

export interface RepairsOptions {
  readonly repair: () => Promise<RepairReport>;
  /** Milliseconds. */
  readonly interval: number;
  readonly logger: Logger;
  readonly closing: AbortSignal;
}

/** Comparing takes at most this part of the time. */
const SHARE = 0.05;

/** Compares the nodes after a start, and, whenever they may differ since, until all of them answered and agree. */
export function createRepairs({ repair, interval, logger, closing }: RepairsOptions): Repairs {
  // While this process did not run, they may have missed anything.
  let needed = true;

  async function repairOnce(): Promise<void> {
    needed = false;
    try {
      const report = await repair();
      const { copied, failed, unreachable } = report;
      needed ||= failed > 0 || unreachable.length > 0;
      if (copied > 0) logger.info({ ...report }, 'batches were copied between Kubo nodes');
    } catch (error) {
      needed = true;
      if (!closing.aborted) logger.warn({ err: error }, 'the Kubo nodes could not be compared; it is tried again');
    }
  }

  return {
    need() {
      needed = true;
    },
    async run() {
      if (!Number.isFinite(interval)) return;
      let pause = interval;
      while (await elapsed(pause, closing)) {
        if (!needed) continue;
        const started = performance.now();
        await repairOnce();
        pause = Math.max(interval, (performance.now() - started) / SHARE);
      }
    },
  };
}

/** false when it was closed meanwhile. */
async function elapsed(milliseconds: number, closing: AbortSignal): Promise<boolean> {
  try {
    await delay(milliseconds, undefined, { signal: closing, ref: false });
    return true;
  } catch {
    // Aborted: there is nothing more to wait for.
    return false;
  }
}
