import type { EntryOutcome, Problem, Result } from './outcome.ts';

/** Counts of what an import did. */
export interface Tally {
  /** Items that were brought to an end. */
  readonly items: number;
  readonly resources: number;
  readonly failed: number;
  readonly byType: ReadonlyMap<string, Readonly<Record<Result, number>>>;
  readonly byProblem: readonly ProblemCount[];
  /** Final outcomes of entries of the item at `place`. */
  add(place: string, outcomes: readonly EntryOutcome[]): void;
  /** An item was brought to an end. */
  end(): void;
}

interface ProblemCount extends Problem {
  readonly count: number;
  /** Where it was first seen: `path#position`. */
  readonly first: string;
}

const NONE: Readonly<Record<Result, number>> = { created: 0, updated: 0, unchanged: 0, deleted: 0, failed: 0 };

export function createTally(): Tally {
  const byType = new Map<string, Record<Result, number>>();
  const problems = new Map<string, Problem & { count: number; first: string }>();
  let items = 0;
  let resources = 0;
  let failed = 0;
  return {
    get items() {
      return items;
    },
    get resources() {
      return resources;
    },
    get failed() {
      return failed;
    },
    byType,
    get byProblem() {
      return [...problems.values()].sort((one, other) => other.count - one.count);
    },
    end() {
      items += 1;
    },
    add(place, outcomes) {
      for (const { type, result } of outcomes) {
        const counts = byType.get(type) ?? { ...NONE };
        counts[result] += 1;
        byType.set(type, counts);
        resources += 1;
        if (result === 'failed') failed += 1;
      }
      for (const { code, element, count } of problemsIn(outcomes)) {
        const name = `${code} ${element}`;
        const known = problems.get(name) ?? { code, element, count: 0, first: place };
        known.count += count;
        problems.set(name, known);
      }
    },
  };
}

/** The distinct problems of an item. One that a whole transaction failed for counts once, not for each of its entries. */
export function problemsIn(outcomes: readonly EntryOutcome[]): readonly (Problem & { readonly count: number })[] {
  const counts = new Map<string, Problem & { count: number }>();
  for (const list of new Set(outcomes.map((outcome) => outcome.problems))) {
    for (const { code, element } of list) {
      const name = `${code} ${element}`;
      const known = counts.get(name) ?? { code, element, count: 0 };
      known.count += 1;
      counts.set(name, known);
    }
  }
  return [...counts.values()];
}
