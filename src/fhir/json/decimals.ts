/**
 * Decimals keep their written form: `1.0` is another statement than `1` (http://hl7.org/fhir/R4/datatypes.html#decimal).
 * A number that JavaScript would write back differently is held as a raw-JSON object, which JSON.stringify writes as it
 * came; every other number is a plain one.
 */

/** What JSON.rawJSON makes: a frozen object without prototype. */
export interface RawJson {
  readonly rawJSON: string;
}

declare global {
  // TypeScript's library does not have these yet: https://tc39.es/proposal-json-parse-with-source/
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}

/** Whether a parsed JSON value is a number, in either form. */
export function isDecimal(value: unknown): value is number | RawJson {
  return typeof value === 'number' || JSON.isRawJSON(value);
}

/** The number, rounded to a double; undefined when the value is no number. */
export function decimalOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return JSON.isRawJSON(value) ? Number(value.rawJSON) : undefined;
}

/** The number as it was written; undefined when the value is no number. */
export function decimalText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : undefined;
}
