import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';

/**
 * The one clock of requests: the database's, read now and then and carried on by the process's monotonic clock, so that
 * setting the system clock back neither reorders versions nor revives a consent, and replicas agree.
 */
export interface Clock {
  /** Epoch milliseconds, never below the highest that it ever returned or that is stored. */
  now(): number;
  stop(): void;
}

const RESYNCHRONISE_EVERY = 60_000;

export async function startClock(database: Database, logger: Logger): Promise<Clock> {
  let highest = await highestStored(database);
  let offset = await measureOffset(database);
  const timer = setInterval(() => {
    measureOffset(database).then(
      (measured) => {
        offset = measured;
      },
      (error: unknown) => logger.warn({ err: error }, 'the database clock could not be read'),
    );
  }, RESYNCHRONISE_EVERY);
  timer.unref();
  return {
    now() {
      highest = Math.max(highest, Math.floor(performance.now() + offset));
      return highest;
    },
    stop: () => clearInterval(timer),
  };
}

/** Database time minus the process's monotonic time, milliseconds, taken at the middle of the round trip. */
async function measureOffset(database: Database): Promise<number> {
  const sent = performance.now();
  const [row] = await database.query<{ now: number }>(
    'writer',
    `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`,
  );
  return (row?.now ?? Date.now()) - (sent + performance.now()) / 2;
}

async function highestStored(database: Database): Promise<number> {
  const [row] = await database.query<{ highest: number | null }>(
    'writer',
    `select (extract(epoch from greatest(
       (select at from resource_version order by id desc limit 1),
       (select at from access_entry order by id desc limit 1))) * 1000)::float8 as highest`,
  );
  return row?.highest ?? 0;
}
