import type { Logger } from '../../logger.ts';
import type { Reindexer } from './reindexer.ts';

/** Runs the reindexer in the background, at most half of the time. */
export interface ReindexWorker {
  /** There may be something to do. */
  wake(): void;
  /** Waits for the page under way. */
  stop(): Promise<void>;
}

const IDLE_MS = 5000;
const SHORTEST_PAUSE_MS = 20;
const WAITING_MS = 200;

export function startReindexWorker(reindexer: Reindexer, logger: Logger): ReindexWorker {
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let woken = false;

  async function run(): Promise<void> {
    const start = performance.now();
    woken = false;
    let pause = IDLE_MS;
    try {
      const done = await reindexer.step();
      // As long as the page took: requests come first.
      if (done === 'page') pause = Math.max(SHORTEST_PAUSE_MS, performance.now() - start);
      if (done === 'waiting') pause = WAITING_MS;
    } catch (error) {
      logger.error({ err: error }, 'indexing anew failed; it is tried again');
    }
    running = undefined;
    schedule(woken ? Math.min(pause, SHORTEST_PAUSE_MS) : pause);
  }

  function schedule(delay: number): void {
    if (stopping) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = run();
    }, delay);
    timer.unref();
  }

  schedule(SHORTEST_PAUSE_MS);
  return {
    wake() {
      woken = true;
      if (running === undefined) schedule(SHORTEST_PAUSE_MS);
    },
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await running;
    },
  };
}
