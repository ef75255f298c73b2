/** Search parameters as they are sent, in order. */
export type SearchPairs = readonly (readonly [name: string, value: string])[];

/** `name=value&…`, percent-encoded. */
export function queryText(pairs: SearchPairs): string {
  return new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString();
}

/** The pairs of a query string, with or without its `?`. */
export function queryPairs(text: string): SearchPairs {
  return [...new URLSearchParams(text)];
}
