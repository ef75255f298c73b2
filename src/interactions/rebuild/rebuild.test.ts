import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../logger.ts';
import type { RebuildEvent } from './events.ts';
import { createRebuild, type RebuildOptions } from './rebuild.ts';

/** A rebuild whose comparison with the ledger is this. */
function rebuildOver(run: () => Promise<void>) {
  return createRebuild({ reconciler: { run }, logger: silentLogger } as unknown as RebuildOptions);
}

test('one rebuild at a time, and one that was never begun does not count', async () => {
  const rebuild = rebuildOver(() => new Promise(() => undefined));
  await rebuild.run().return(undefined);
  const first = rebuild.run();
  const second = rebuild.run();
  void first.next();
  assert.throws(() => rebuild.run(), { code: 'rate-limited' });
  const { value } = await second.next();
  assert.deepEqual(value, { event: 'failure', text: 'A rebuild is under way already' });
});

test('what goes wrong is told without its text, and another may begin', async () => {
  const rebuild = rebuildOver(() => Promise.reject(new Error('quotes a record')));
  for (let run = 1; run <= 2; run++) {
    const events: RebuildEvent[] = [];
    for await (const event of rebuild.run()) events.push(event);
    assert.deepEqual(events, [{ event: 'failure', text: 'something went wrong; it has been logged' }]);
  }
});
