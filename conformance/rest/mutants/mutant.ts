/** A mistake that a server of this kind could make, put into a copy of the sources. */
export interface ServerMutant {
  /** By which a record names it; unique, words joined by hyphens. */
  readonly name: string;
  /** What it does instead, as a client would tell. */
  readonly what: string;
  /** From the root of the tree. */
  readonly file: string;
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
  /** Areas of the suite that are run against it. */
  readonly areas: readonly string[];
}

/** A mutant, with areas of its own where they are not those of its list. */
type MutantRow = readonly [
  name: string,
  what: string,
  file: string,
  from: string,
  to: string,
  areas?: readonly string[],
];

/** @param areas what is run against each of the rows that does not tell its own */
export function mutantsOf(areas: readonly string[], rows: readonly MutantRow[]): readonly ServerMutant[] {
  return rows.map(([name, what, file, from, to, own]) => ({ name, what, file, from, to, areas: own ?? areas }));
}
