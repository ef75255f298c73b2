import type { ParsedReference } from '../references/reference.ts';

/** What a search parameter finds in a resource: the material of the index and of the exact comparison. */
export type SearchValue =
  | TokenValue
  | ReferenceValue
  | StringValue
  | DateValue
  | NumberValue
  | QuantityValue
  | UriValue
  | CompositeValue;

export interface Coding {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

/** `system` is absent for what has none: codes, booleans, strings, and codings without one. */
export interface TokenValue {
  readonly kind: 'token';
  readonly system?: string | undefined;
  readonly code?: string | undefined;
  /** For `:text`: the display, the text of a CodeableConcept (a value of its own), or of an identifier's type. */
  readonly text?: string | undefined;
  /** For `:of-type`: the codings of `Identifier.type`. */
  readonly types?: readonly Coding[] | undefined;
}

/** At least one of `reference` and `identifier` (with its value as `code`) is there. */
export interface ReferenceValue {
  readonly kind: 'reference';
  readonly reference?: ParsedReference | undefined;
  readonly identifier?: Coding | undefined;
  /** `Reference.type`, as written. */
  readonly type?: string | undefined;
}

/** As written; see strings.ts for the form that is compared. */
interface StringValue {
  readonly kind: 'string';
  readonly text: string;
}

/** Epoch milliseconds, half-open `[low, high)`; infinite where a period is open. */
export interface DateValue {
  readonly kind: 'date';
  readonly low: number;
  readonly high: number;
}

/** Half-open `[low, high)`: the number with its implicit precision, or a range, which has no `value`. */
export interface NumberValue {
  readonly kind: 'number';
  readonly value?: number | undefined;
  readonly low: number;
  readonly high: number;
}

/** `low` and `high` take the comparator into account: `<5` is from -Infinity to 5. */
export interface QuantityValue {
  readonly kind: 'quantity';
  readonly value?: number | undefined;
  readonly low: number;
  readonly high: number;
  readonly system?: string | undefined;
  readonly code?: string | undefined;
  readonly unit?: string | undefined;
  readonly comparator?: string | undefined;
}

interface UriValue {
  readonly kind: 'uri';
  readonly value: string;
}

/** For each component of the parameter, the values that belong together. */
export interface CompositeValue {
  readonly kind: 'composite';
  readonly components: readonly (readonly SearchValue[])[];
}
