import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Random, seed } from '../../conformance/support/seed.ts';
import { silentLogger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';
import { startClock } from './clock.ts';

const MINUTE = 60_000;

/** A database that answers with these times: its clock's, and that of the newest thing stored. */
function databaseWith(times: { clock: number; stored: number | null }): Database {
  const query = (_role: string, text: string) =>
    Promise.resolve(text.includes('clock_timestamp') ? [{ now: times.clock }] : [{ highest: times.stored }]);
  return { query } as unknown as Database;
}

async function clockOver(t: TestContext, times: { clock: number; stored: number | null }) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const clock = await startClock(databaseWith(times), silentLogger);
  t.after(() => clock.stop());
  const resynchronise = async () => {
    t.mock.timers.tick(MINUTE);
    await new Promise(setImmediate);
  };
  return { clock, resynchronise };
}

test('time is the database’s, and never before what is stored', async (t) => {
  const times = { clock: 1_000_000_000, stored: null };
  const { clock } = await clockOver(t, times);
  const told = clock.now();
  assert.ok(told >= times.clock - 1 && told < times.clock + MINUTE, String(told));
});

test('stored times that lie ahead are where it begins', async (t) => {
  const { clock } = await clockOver(t, { clock: 1_000_000_000, stored: 2_000_000_000 });
  assert.equal(clock.now(), 2_000_000_000);
});

test('it never falls, however the database’s clock is set, and follows it when it is ahead', async (t) => {
  const random: Random = seed(t);
  const times = { clock: 1_000_000_000, stored: null };
  const { clock, resynchronise } = await clockOver(t, times);
  let highest = clock.now();
  for (let step = 0; step < 200; step++) {
    times.clock = 1_000_000_000 + random.integer(1_000_000_000);
    await resynchronise();
    const now = clock.now();
    assert.ok(now >= highest, `${now} after ${highest}`);
    assert.ok(now >= times.clock - 1, 'it follows forward');
    highest = now;
  }
});
