/** What is known of which cases fail on which mutants of the server: kills.json beside this file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Area } from '../areas.ts';

/** By case, the names of the mutants on which it fails, sorted. */
export type Kills = Readonly<Record<string, readonly string[]>>;

const FILE = fileURLToPath(new URL('kills.json', import.meta.url));
/** A mutant that fails more than this part of all cases breaks the whole server: no evidence for any of them. */
export const BROADEST = 0.15;
/** Of this area, which is run against every mutant, half at most fail: what else it breaks was perhaps not run. */
export const SENTINEL = 'reading and writing';
const BROADEST_OF_SENTINEL = 0.5;

/** How the record names a case: its area, its name, its clause. */
export function caseId(area: string, name: string): string {
  return `${area}: ${name}`;
}

export function casesOf(areas: readonly Area[]): readonly string[] {
  return areas.flatMap(({ name, cases }) => cases.map((one) => caseId(name, one)));
}

export function failuresOf(areas: readonly Area[]): readonly string[] {
  return areas.flatMap(({ name, failed }) => failed.map((one) => caseId(name, one)));
}

export function readKills(): Kills {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Kills;
}

export function writeKills(kills: Kills): void {
  writeFileSync(FILE, `${JSON.stringify(kills, null, 1)}\n`);
}

/**
 * The record after some mutants were run.
 *
 * @param cases all that there are: others are forgotten
 * @param mutants names of all that there are: others are forgotten
 * @param results of each mutant that was run, the cases that failed: what was known of it is replaced
 */
export function mergeKills(
  known: Kills,
  cases: readonly string[],
  mutants: readonly string[],
  results: ReadonlyMap<string, readonly string[]>,
): Kills {
  const kept = new Set(mutants.filter((name) => !results.has(name)));
  return Object.fromEntries(
    cases.toSorted(compare).map((id) => {
      const before = (known[id] ?? []).filter((name) => kept.has(name));
      const now = [...results].filter(([, failed]) => failed.includes(id)).map(([name]) => name);
      return [id, [...before, ...now].toSorted(compare)] as const;
    }),
  );
}

/** Turned round: by mutant, the cases that fail on it, those that kill most first. */
export function byMutant(kills: Kills): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [id, names] of Object.entries(kills)) {
    for (const name of names) found.set(name, [...(found.get(name) ?? []), id]);
  }
  return new Map([...found].toSorted(([a, x], [b, y]) => y.length - x.length || compare(a, b)));
}

/** Mutants that are too broad to be evidence. */
export function broadOf(kills: Kills): readonly string[] {
  const ids = Object.keys(kills);
  const sentinels = ids.filter((id) => id.startsWith(`${SENTINEL}: `)).length;
  const isBroad = (failed: readonly string[]) =>
    failed.length > BROADEST * ids.length ||
    failed.filter((id) => id.startsWith(`${SENTINEL}: `)).length > BROADEST_OF_SENTINEL * sentinels;
  return [...byMutant(kills)].filter(([, failed]) => isBroad(failed)).map(([name]) => name);
}

/** By code unit: the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
