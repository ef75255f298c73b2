/** JSON with its numbers in the form in which they were written, for comparisons of source text. */
export type ExactJson = null | boolean | string | WrittenNumber | ExactJson[] | { [key: string]: ExactJson };

class WrittenNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toJSON(): unknown {
    return JSON.rawJSON(this.source);
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Apart from the server's own parser: what the platform says that each number looks like. */
export function parseExact(text: string): ExactJson {
  const keep: Reviver = (_key, value, { source }) =>
    typeof value === 'number' ? new WrittenNumber(source ?? '') : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown) as ExactJson;
}

/** A copy in which every `reference` is what `replace` makes of it. */
export function mapReferences(json: ExactJson, replace: (reference: string) => string): ExactJson {
  if (json === null || typeof json !== 'object' || json instanceof WrittenNumber) return json;
  if (Array.isArray(json)) return json.map((item) => mapReferences(item, replace));
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      key === 'reference' && typeof value === 'string' ? replace(value) : mapReferences(value, replace),
    ]),
  );
}
