import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSoak, randomOf, seed } from '../support/seed.ts';
import { compareWorlds, fillWorld, PAIRED_INSTITUTIONS } from './paired.ts';
import { createWorld } from './world.ts';

/** All in a soak; or as many as `REQUESTS` says. */
const REQUESTS = Number(process.env.REQUESTS ?? (isSoak ? 10_000 : 1000));

test('two worlds that differ in what may not be seen answer every request alike', async (t) => {
  const random = seed(t);
  const worlds = [await createWorld(t, PAIRED_INSTITUTIONS), await createWorld(t, PAIRED_INSTITUTIONS)] as const;
  for (const which of [0, 1] as const) {
    await fillWorld(worlds[which], which, randomOf(random.seed), randomOf(random.seed + 1 + which));
  }
  const { requests, answered } = await compareWorlds([...worlds], REQUESTS, random);
  t.diagnostic(`${requests} requests, ${answered} answers that show something`);
  assert.ok(answered >= requests * 0.3, `only ${answered} of ${requests} answers show anything`);
});
