import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '../../logger.ts';
import type { Database } from '../../storage/database/port.ts';
import type { ScrubEvent } from './events.ts';
import { createScrubber, type ScrubberOptions } from './scrub.ts';

/** A scrubber over a database that answers nothing but this. */
function scrubberOver(query: Database['query'], logger: Logger = silentLogger) {
  const institutions = { all: () => [], byId: () => undefined };
  const openAccess = () => () => Promise.reject(new Error('there is no entry'));
  const options = { database: { query }, openAccess, institutions, now: Date.now, logger };
  return createScrubber(options as unknown as ScrubberOptions);
}

test('one scrub at a time, and one that was never begun does not count', async () => {
  const scrubber = scrubberOver(() => new Promise(() => undefined));
  await scrubber.run({ sweep: false }).return(undefined);
  const first = scrubber.run({ sweep: false });
  const second = scrubber.run({ sweep: false });
  void first.next();
  assert.throws(() => scrubber.run({ sweep: false }), { code: 'rate-limited' });
  const { value } = await second.next();
  assert.deepEqual(value, { event: 'failure', text: 'A scrub is under way already' });
});

test('what goes wrong is told in the answer, without its text, and logged; another may begin', async () => {
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (_: object, message: string) => void logged.push(message) };
  const scrubber = scrubberOver(() => Promise.reject(new Error('quotes a record')), logger);
  for (let run = 1; run <= 2; run++) {
    const events: ScrubEvent[] = [];
    for await (const event of scrubber.run({ sweep: false })) events.push(event);
    assert.deepEqual(events, [{ event: 'failure', text: 'something went wrong; it has been logged' }]);
    assert.equal(logged.length, run);
  }
});
