import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';

/** A sequence of pseudo-random numbers that is the same for the same seed. */
export interface Random {
  readonly seed: number;
  /** From 0 (included) to `below` (excluded). */
  integer(below: number): number;
  bytes(length: number): Buffer;
  pick<T>(items: readonly T[]): T;
}

/**
 * The randomness of one test, from the next seed (see newSeed). When the test fails, its seed is printed,
 * so that `SEED=… node --test …` repeats it.
 */
export function seed(test: TestContext): Random {
  const chosen = newSeed();
  test.after(() => {
    // Not in @types/node yet.
    const { passed } = test as { passed?: boolean };
    if (!passed) test.diagnostic(`SEED=${chosen} repeats this`);
  });
  return randomOf(chosen);
}

/** The first of the seeds that `npm test` takes, one after the other in each file: it is the same test for everyone. */
const FIRST = 20_261_122;
let drawn = 0;

/**
 * The environment's SEED if set; else the next of a sequence that is always the same, or in a soak a random one. For a
 * test that tells by itself which it was.
 */
export function newSeed(): number {
  const given = process.env.SEED;
  if (given !== undefined) return Number(given);
  return isSoak ? randomInt(2 ** 31) : FIRST + drawn++;
}

/** Whether `npm run soak` runs, which has time for everything. */
export const isSoak = process.env.MEDSEAL_SOAK !== undefined;

/** mulberry32: small, and good enough to vary inputs. Never for secrets. */
export function randomOf(start: number): Random {
  let state = start | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const integer = (below: number) => next() % below;
  return {
    seed: start,
    integer,
    bytes: (length) => Buffer.from(Array.from({ length }, () => next() & 0xff)),
    pick: <T>(items: readonly T[]) => items[integer(items.length)] as T,
  };
}
