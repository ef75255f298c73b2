import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MedSealError } from '../../errors.ts';
import { createGate, type Gate } from './gate.ts';
import { createPatience } from './patience.ts';

/** A clock that only the test moves, and the turns of the event loop that were waited for. */
function world(timeout: number, heavy: Gate = createGate(1)) {
  let at = 0;
  const seen = { turns: 0 };
  const patience = createPatience({
    timeout,
    heavy,
    now: () => at,
    turn: async () => {
      seen.turns += 1;
    },
  });
  const pass = (milliseconds: number) => {
    at += milliseconds;
  };
  /** Opens so many records that take `each` milliseconds. */
  async function open(count: number, each: number) {
    for (let opened = 0; opened < count; opened++) {
      await patience.opening();
      pass(each);
    }
  }
  /** Of a database that needs so long. */
  const statement = (needed: number) =>
    patience.statement(async (limit) => {
      pass(Math.min(needed, limit));
      if (needed > limit) throw new MedSealError('timed-out', 'The database did not answer in time.');
      return limit;
    });
  return { patience, heavy, seen, pass, open, statement };
}

const isTooLong = (error: unknown) =>
  error instanceof MedSealError && error.code === 'timed-out' && /longer than \d+ s/.test(error.message);

suite('how long a search may take', () => {
  test('opening lets others go on every few milliseconds', async () => {
    const { open, seen } = world(30_000);
    await open(1000, 0.1);
    // 100 ms of work in slices of two.
    assert.ok(seen.turns >= 30 && seen.turns <= 60, String(seen.turns));
  });

  test('a few records that are opened quickly wait for nobody', async () => {
    const { open, seen } = world(30_000);
    await open(20, 0.05);
    assert.equal(seen.turns, 0);
  });

  test('a turn in which others worked is followed by another, but not for ever', async () => {
    let at = 0;
    let turns = 0;
    const patience = createPatience({
      timeout: 30_000,
      heavy: createGate(1),
      now: () => at,
      turn: async () => {
        turns += 1;
        at += 5;
      },
    });
    for (let opened = 0; opened < 4; opened++) {
      await patience.opening();
      at += 1;
    }
    assert.equal(turns, 4);
  });

  test('opening ends at the deadline', async () => {
    const { open } = world(1000);
    await assert.rejects(open(100, 30), isTooLong);
  });

  test('a statement begins with a second, and a longer one is asked again among the heavy ones', async () => {
    const { patience, statement, heavy } = world(30_000);
    assert.equal(await statement(10), 1000);
    assert.equal(heavy.inside, 0);
    assert.equal(await statement(5000), 28_990);
    assert.equal(heavy.inside, 1);
    patience.end();
    await new Promise(setImmediate);
    assert.equal(heavy.inside, 0);
  });

  test('a statement ends at the deadline, and none begins after it', async () => {
    const { statement } = world(2000);
    await assert.rejects(statement(60_000), isTooLong);
    await assert.rejects(statement(1), isTooLong);
  });

  test('much opening makes a search heavy too', async () => {
    const { open, heavy } = world(30_000);
    await open(2500, 0.5);
    assert.equal(heavy.inside, 1);
  });

  test('a heavy search waits for another, and statements side by side hold one place', async () => {
    const heavy = createGate(1);
    const [first, second] = [world(30_000, heavy), world(30_000, heavy)];
    await Promise.all([first.statement(3000), first.statement(3000)]);
    assert.deepEqual([heavy.inside, heavy.waiting], [1, 0]);
    const waiting = second.statement(3000);
    await new Promise(setImmediate);
    assert.deepEqual([heavy.inside, heavy.waiting], [1, 1]);
    first.patience.end();
    await waiting;
    second.patience.end();
    await new Promise(setImmediate);
    assert.deepEqual([heavy.inside, heavy.waiting], [0, 0]);
  });

  test('what is still under way when the request ends takes no place', async () => {
    const { patience, heavy } = world(30_000);
    const answer = Promise.withResolvers<never>();
    const late = patience.statement(() => answer.promise);
    patience.end();
    answer.reject(new MedSealError('timed-out', 'The database did not answer in time.'));
    await assert.rejects(late, isTooLong);
    assert.deepEqual([heavy.inside, heavy.waiting], [0, 0]);
  });

  test('what fails otherwise fails as it did', async () => {
    const { patience } = world(30_000);
    const failure = new MedSealError('storage-unavailable', 'The database cannot be reached at the moment.');
    await assert.rejects(
      patience.statement(() => Promise.reject(failure)),
      failure,
    );
  });
});
