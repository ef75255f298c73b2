import type { Logger } from '../logger.ts';
import type { ConsentRelay } from './consent-relay.ts';
import type { Reconciler } from './reconcile.ts';
import type { Relay } from './relay.ts';
import type { Sequencer } from './sequencer.ts';

/** Runs sequencer and relay in the background: soon after a commit, and now and then for what others left. */
export interface TrailWorker {
  /** Something was committed. */
  wake(): void;
  /** Seals and anchors all that is pending; for tests, commands and a graceful stop. */
  drain(): Promise<void>;
  /** Waits for the step under way. */
  stop(): Promise<void>;
}

export interface TrailWorkerOptions {
  readonly sequencer: Sequencer;
  readonly relay: Relay;
  readonly consents: ConsentRelay;
  readonly reconciler: Reconciler;
  readonly logger: Logger;
  /** Milliseconds from a commit to its batch: leaves that come meanwhile share it. */
  readonly batchInterval?: number;
  /** Milliseconds between looks when nothing was heard. */
  readonly idleInterval?: number;
}

export function startTrailWorker(options: TrailWorkerOptions): TrailWorker {
  const { sequencer, relay, consents, reconciler, logger, batchInterval = 1000, idleInterval = 5000 } = options;
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let running: Promise<unknown> | undefined;
  let reconciled = false;

  /** @returns whether there may be more to do at once */
  async function step(): Promise<boolean> {
    if (!reconciled || reconciler.reason !== undefined) {
      await reconciler.run();
      reconciled = true;
    }
    // Leaves wait unnumbered: a log that is not the ledger's must not grow.
    if (reconciler.reason !== undefined) return false;
    const numbered = await sequencer.run();
    const anchored = await relay.run();
    const told = await consents.run();
    return numbered + anchored + told > 0;
  }

  function schedule(delay: number): void {
    const at = performance.now() + delay;
    if (stopping || at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(run, delay);
    timer.unref();
  }

  function run(): void {
    due = Number.POSITIVE_INFINITY;
    if (running !== undefined) {
      schedule(batchInterval);
      return;
    }
    running = step()
      .then(
        (more) => schedule(more ? batchInterval : idleInterval),
        (error: unknown) => {
          // A ledger that may have moved on meanwhile is compared anew.
          reconciled = false;
          logger.error({ err: error }, 'sealing or anchoring failed; it is tried again');
          schedule(idleInterval);
        },
      )
      .finally(() => {
        running = undefined;
      });
  }

  schedule(batchInterval);
  return {
    wake: () => schedule(batchInterval),
    async drain() {
      await running;
      while (await step());
    },
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await running;
    },
  };
}
