import type { Replays } from '../interactions/write/replay.ts';
import type { Foundation } from './foundation.ts';

const EVERY = 3_600_000;

/** What grows and may be forgotten, hourly. */
export function startHousekeeping({ clock, logger }: Foundation, replays: Replays): { stop(): void } {
  const tidy = (): void => {
    replays.forget(clock.now()).catch((error: unknown) => logger.warn({ err: error }, 'old answers stay for now'));
  };
  const timer = setInterval(tidy, EVERY);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
