import type { Replays } from '../interactions/write/replay.ts';
import type { AccessRetention } from '../trail/access-retention.ts';
import type { Foundation } from './foundation.ts';

const EVERY = 3_600_000;
const DAY = 24 * 3_600_000;

/** What grows and may be forgotten, hourly. */
export function startHousekeeping(
  { clock, config, logger }: Pick<Foundation, 'clock' | 'config' | 'logger'>,
  replays: Pick<Replays, 'forget'>,
  retention: AccessRetention,
): { stop(): void } {
  const tidy = (): void => {
    replays.forget(clock.now()).catch((error: unknown) => logger.warn({ err: error }, 'old answers stay for now'));
    const days = config.accessRetention;
    if (days === undefined) return;
    dropOld(days).catch((error: unknown) => logger.warn({ err: error }, 'old access entries stay for now'));
  };
  /** By whole days in UTC, so that the trail is not filled with entries that say so. */
  async function dropOld(days: number): Promise<void> {
    const before = new Date(Math.floor(clock.now() / DAY - days) * DAY).toISOString();
    const why = `MEDSEAL_ACCESS_RETENTION: ${days} days`;
    for await (const { event, ...dropped } of retention.drop({ before, by: 'housekeeping', why })) {
      if (event === 'dropped') logger.info(dropped, 'access entries were dropped after their retention');
    }
  }
  const timer = setInterval(tidy, EVERY);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
