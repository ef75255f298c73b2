import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Config } from '../config.ts';
import { silentLogger } from '../logger.ts';
import type { AccessRetention, DropWish } from '../trail/access-retention.ts';
import { startHousekeeping } from './housekeeping.ts';

/** What is asked to be dropped within so many hours from noon on. */
function asked(t: TestContext, days: number | undefined, hours: number) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.parse('2026-03-10T12:30:00Z') });
  const wishes: DropWish[] = [];
  const retention: AccessRetention = {
    async *drop(wish) {
      wishes.push(wish);
      yield { event: 'summary', institutions: 0 };
    },
  };
  let forgotten = 0;
  const forget = async () => {
    forgotten += 1;
  };
  const clock = { now: Date.now, stop: () => undefined };
  const config = { accessRetention: days } as Config;
  const { stop } = startHousekeeping({ clock, config, logger: silentLogger }, { forget }, retention);
  for (let hour = 0; hour < hours; hour++) t.mock.timers.tick(3_600_000);
  stop();
  t.mock.timers.tick(24 * 3_600_000);
  return { wishes, forgotten };
}

test('access entries are kept for ever unless it is said for how long', (t) => {
  assert.deepEqual(asked(t, undefined, 3), { wishes: [], forgotten: 3 });
});

test('else those of whole days that are older are dropped, and the trail is told why', (t) => {
  const { wishes } = asked(t, 30, 13);
  const [first, last] = [wishes[0], wishes.at(-1)];
  assert.equal(wishes.length, 13);
  assert.deepEqual(first, {
    before: '2026-02-08T00:00:00.000Z',
    by: 'housekeeping',
    why: 'MEDSEAL_ACCESS_RETENTION: 30 days',
  });
  assert.equal(last?.before, '2026-02-09T00:00:00.000Z', 'the next day');
});
