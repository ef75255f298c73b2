import { MedSealError } from '../../errors.ts';
import type { Patience } from '../../request-context.ts';
import type { Gate } from './gate.ts';

/** How far one request's searching may go, and at whose expense. */
export interface SearchLimits {
  /** After this many milliseconds a search ends. */
  readonly timeout: number;
  /** Where those wait that turned out to be heavy. */
  readonly heavy: Gate;
  /** Milliseconds, from whatever beginning. */
  readonly now?: () => number;
  /** Resolves when the event loop has gone round once. */
  readonly turn?: () => Promise<void>;
}

/** A statement that takes longer, or more than this of opening in all, makes a search a heavy one; milliseconds. */
const LIGHT_MS = 1000;
/** Records are opened for so long without letting anybody else go on; milliseconds. */
const SLICE_MS = 2;
/** A turn of the event loop that took longer had work of others, who may have more; milliseconds. */
const IDLE_TURN_MS = 0.5;
/** Turns in a row that are left to others. */
const MOST_TURNS = 4;
/** The clock is read once in so many records. */
const LOOK_EVERY = 4;

export interface RunningPatience extends Patience {
  /** When the request is answered. */
  end(): void;
}

/**
 * For one request. Whether a search is heavy cannot be told beforehand, so each begins as a light one, whose statements
 * end after a second. One that needs more waits for its turn among the heavy ones and asks again; it keeps its place
 * until the request ends. So heavy searches never hold more than a few connections for long, and the rest goes on.
 */
export function createPatience({ timeout, heavy, now = milliseconds, turn = nextTurn }: SearchLimits): RunningPatience {
  const deadline = now() + timeout;
  let entering: Promise<(() => void) | undefined> | undefined;
  let ended = false;
  let opened = 0;
  let spent = 0;
  let sliceBegan = now();

  function left(): number {
    const milliseconds = deadline - now();
    if (milliseconds <= 0) throw tooLong(timeout);
    return milliseconds;
  }

  async function beHeavy(): Promise<void> {
    // A statement beside the one that failed may still be under way: nobody would leave a place that it took.
    if (ended) throw tooLong(timeout);
    // Statements of one search may run side by side; it has one place.
    entering ??= heavy.enter(left());
    if ((await entering) === undefined) throw tooLong(timeout);
  }

  async function letOthersGoOn(): Promise<void> {
    if (spent > LIGHT_MS) await beHeavy();
    for (let turns = 0; turns < MOST_TURNS; turns++) {
      const before = now();
      await turn();
      if (now() - before < IDLE_TURN_MS) break;
    }
    sliceBegan = now();
  }

  return {
    async statement(run) {
      try {
        const milliseconds = left();
        const limit = entering === undefined ? Math.min(milliseconds, LIGHT_MS) : milliseconds;
        try {
          return await run(Math.ceil(limit));
        } catch (error) {
          if (!isTimeOut(error)) throw error;
          if (limit === milliseconds) throw tooLong(timeout, error);
        }
        await beHeavy();
        return await run(Math.ceil(left())).catch((error: unknown) => {
          throw isTimeOut(error) ? tooLong(timeout, error) : error;
        });
      } finally {
        sliceBegan = now();
      }
    },
    opening() {
      opened += 1;
      if (opened % LOOK_EVERY !== 0) return undefined;
      left();
      const slice = now() - sliceBegan;
      if (slice < SLICE_MS) return undefined;
      spent += slice;
      return letOthersGoOn();
    },
    end() {
      ended = true;
      // Whoever still waits for a place leaves it as soon as it is there.
      void entering?.then((leave) => leave?.());
    },
  };
}

function isTimeOut(error: unknown): boolean {
  return error instanceof MedSealError && error.code === 'timed-out';
}

function tooLong(timeout: number, cause?: unknown): MedSealError {
  const message = `The search took longer than ${timeout / 1000} s; narrow it down`;
  return new MedSealError('timed-out', message, cause === undefined ? {} : { cause });
}

function milliseconds(): number {
  return performance.now();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
