import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Database } from '../storage/database/port.ts';
import { type Change, createChangeFeed } from './changes.ts';

/** The part of a database that the feed uses. */
function listening() {
  let notify: (payload: string) => void = () => undefined;
  let stopped = false;
  const database: Pick<Database, 'listen'> = {
    listen: async (channel, onNotify) => {
      assert.equal(channel, 'auth_changed');
      notify = onNotify;
      return async () => {
        stopped = true;
      };
    },
  };
  return { database: database as Database, notify: (payload: string) => notify(payload), stopped: () => stopped };
}

describe('change feed', () => {
  test('tells every listener what was notified and what was announced', async () => {
    const { database, notify, stopped } = listening();
    const feed = await createChangeFeed(database);
    const heard: Change[][] = [[], []];
    for (const list of heard) feed.subscribe((change) => list.push(change));
    for (const payload of ['token 00ff', 'client his', '', 'token', 'anything else']) notify(payload);
    feed.announce({ kind: 'token', digest: 'ab' });
    const expected: Change[] = [
      { kind: 'token', digest: '00ff' },
      { kind: 'client', id: 'his' },
      ...Array.from({ length: 3 }, () => ({ kind: 'anything' }) as const),
      { kind: 'token', digest: 'ab' },
    ];
    assert.deepEqual(heard, [expected, expected]);
    await feed.close();
    assert.ok(stopped());
  });
});
