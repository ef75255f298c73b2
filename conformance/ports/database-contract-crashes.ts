import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seed } from '../support/seed.ts';
import { type DatabaseHarness, notes, ownName } from './database-harness.ts';
import { openPlace, type WriterArguments } from './database-process.ts';
import { writeUntilKilled } from './database-writer.ts';

const ROUNDS = 3;

/** Drills with a process of its own that opens the adapter, writes, and is killed. */
export function testCrashes(makeAdapter: () => Promise<DatabaseHarness>): void {
  let harness: DatabaseHarness;
  before(async () => {
    harness = await makeAdapter();
    // The first time takes long, and is not what is drilled.
    await (await openPlace(harness.place)).close();
  });
  after(() => harness.close());

  for (let round = 1; round <= ROUNDS; round++) {
    test(`what was committed survives kill -9 of the server process, ${round}`, async (context) => {
      const random = seed(context);
      await drill({ place: harness.place, prefix: ownName() }, 20 + random.integer(300));
    });

    test(`killed between COMMIT and hearing of it, ${round}`, async (context) => {
      const random = seed(context);
      await drill(
        { place: harness.place, prefix: ownName(), dieAtCommit: 1 + random.integer(100) },
        Number.POSITIVE_INFINITY,
      );
    });
  }

  async function drill(arguments_: WriterArguments, killAfter: number): Promise<void> {
    const acknowledged = await writeUntilKilled(arguments_, killAfter);
    const database = await openPlace(harness.place);
    try {
      const found = await notes(database, arguments_.prefix);
      const numbers = new Set(found.map((name) => Number(name.slice(arguments_.prefix.length + 1))));
      assert.equal(numbers.size, found.length, 'nothing twice');
      for (const number of acknowledged) assert.ok(numbers.has(number), `${number} was acknowledged and is lost`);
      // Four transactions at a time: what was not acknowledged may have been committed, but no more than that.
      assert.ok(found.length <= acknowledged.length + 4);
    } finally {
      await database.close();
    }
  }
}
