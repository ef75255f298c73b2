import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSoak, seed } from '../support/seed.ts';
import { INSTITUTIONS } from './arbitraries.ts';
import { compareLocks } from './locks-agree.ts';
import { createWorld } from './world.ts';

/** All in a soak; or as many as `TRIPLES` says. */
const TRIPLES = Number(process.env.TRIPLES ?? (isSoak ? 100_000 : 20_000));

test('the views, decide() and the oracle agree on random consents, records and requests', async (t) => {
  const world = await createWorld(t, INSTITUTIONS);
  const started = performance.now();
  const { triples, permitted, bases } = await compareLocks(world, TRIPLES, seed(t).seed);
  const told = [...bases].map(([basis, count]) => `${basis} ${count}`).join(', ');
  t.diagnostic(
    `${triples} triples, ${Math.round((1000 * triples) / (performance.now() - started))}/s, ${permitted} permitted (${told})`,
  );

  // A comparison in which all are denied, or none by a consent, would show nothing.
  assert.ok(permitted > triples / 10 && permitted < (triples * 9) / 10, `${permitted} of ${triples} permitted`);
  for (const basis of [
    'scope',
    'directory',
    'self',
    'representative',
    'consent',
    'custodian',
    'emergency',
    'compartment',
    'default',
  ] as const) {
    assert.ok((bases.get(basis) ?? 0) > 0, `nothing was decided by ${basis}`);
  }
});
