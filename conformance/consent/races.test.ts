import { test } from 'node:test';
import { isSoak, seed } from '../support/seed.ts';
import { RACE_INSTITUTIONS, raceGrants } from './races.ts';
import { createWorld } from './world.ts';

/** All in a soak; or as many as `TRIALS` says. */
const TRIALS = Number(process.env.TRIALS ?? (isSoak ? 1000 : 50));

test('grants reach what is written at the same time, and withdrawals bind the next request', async (t) => {
  const world = await createWorld(t, RACE_INSTITUTIONS);
  await raceGrants(world, TRIALS, seed(t));
});
