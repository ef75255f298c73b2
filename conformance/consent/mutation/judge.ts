import { withMutants } from './copies.ts';
import type { TestRunner } from './run-test.ts';
import type { Mutant } from './source-mutants.ts';

/** A mutant, and the test file that noticed it: undefined for one that survived. */
export interface Verdict {
  readonly mutant: Mutant;
  readonly killer: string | undefined;
  /** It was noticed because the test did not end. */
  readonly hung: boolean;
}

/** Asks tests about a mutant until one fails. */
export interface Judge {
  judge(mutant: Mutant, tests: readonly string[], copy: string, runner: TestRunner): Promise<Verdict>;
  /** Test files that fail without any mutant, and so have not been asked. */
  readonly failing: () => readonly string[];
}

/** Milliseconds: a hanging test takes at least this long, or several times what it took without a mutant. */
const SHORTEST_LIMIT = 60_000;
const LONGEST = 900_000;

/** @param clean a copy of the sources as they are: what fails there does not count */
export function createJudge(clean: string): Judge {
  /** What each test file took without a mutant, milliseconds; undefined when it failed. */
  const baseline = new Map<string, Promise<number | undefined>>();
  /** How many mutants of a source each test file noticed: these are asked first. */
  const kills = new Map<string, number>();
  const failing = new Set<string>();

  /** Every test file must pass without a mutant before it is asked: one that fails anyhow would kill everything. */
  function withoutMutant(test: string, runner: TestRunner): Promise<number | undefined> {
    const known = baseline.get(test);
    if (known !== undefined) return known;
    const measured = (async () => {
      const began = performance.now();
      if ((await runner.run(clean, test, LONGEST)) === 'passed') return performance.now() - began;
      failing.add(test);
      return undefined;
    })();
    baseline.set(test, measured);
    return measured;
  }

  return {
    failing: () => [...failing],
    async judge(mutant, tests, copy, runner) {
      const { file } = mutant;
      const noticed = (test: string) => kills.get(`${file} ${test}`) ?? 0;
      for (const test of tests.toSorted((a, b) => noticed(b) - noticed(a))) {
        const usual = await withoutMutant(test, runner);
        if (usual === undefined) continue;
        const limit = Math.max(SHORTEST_LIMIT, 6 * usual);
        const outcome = await withMutants(copy, [mutant], () => runner.run(copy, test, limit));
        if (outcome === 'passed') continue;
        kills.set(`${file} ${test}`, noticed(test) + 1);
        return { mutant, killer: test, hung: outcome === 'hung' };
      }
      return { mutant, killer: undefined, hung: false };
    },
  };
}
