import type { TemporalPrecision } from '../../fhirpath/temporal.ts';
import type { ParsedReference } from '../../references/reference.ts';
import type { SearchParameter } from '../parameters.ts';
import type { FilterExpression } from './filter.ts';

/** A parsed search (http://hl7.org/fhir/R4/search.html): the union of its branches. */
export interface SearchQuery {
  /**
   * One for a search on a type. A search on the whole server has one without a type, or one per type in `_type`, since
   * the same code may be another parameter for each type.
   */
  readonly branches: readonly SearchBranch[];
  readonly control: SearchControl;
  /** Names of parameters that were passed over because the client asked for lenient handling; safe to echo. */
  readonly ignored: readonly string[];
}

export interface SearchBranch {
  readonly type: string | undefined;
  /** All must hold. */
  readonly criteria: readonly Criterion[];
}

export type Criterion =
  /** Any of `operands` must match; with the modifier `not` or `not-in`, none. */
  | {
      readonly kind: 'match';
      readonly parameter: SearchParameter;
      readonly modifier: Modifier | undefined;
      readonly operands: readonly Operand[];
    }
  | { readonly kind: 'missing'; readonly parameter: SearchParameter; readonly missing: boolean }
  /** `parameter` refers to a resource of one of the types that meets the criterion given for it. */
  | {
      readonly kind: 'chain';
      readonly parameter: SearchParameter;
      readonly targets: readonly { readonly type: string; readonly criterion: Criterion }[];
    }
  /** `_has`: some resource of `type` refers here by its `parameter` and meets `criterion`. */
  | {
      readonly kind: 'has';
      readonly type: string;
      readonly parameter: SearchParameter;
      readonly criterion: Criterion;
    }
  /** `_text` (the narrative) or `_content` (everything). */
  | { readonly kind: 'full-text'; readonly scope: 'narrative' | 'content'; readonly text: string }
  /** `_list`: the id of a List, or a name such as `$current-allergies`; any of several. */
  | { readonly kind: 'list'; readonly lists: readonly string[] }
  | { readonly kind: 'filter'; readonly filter: FilterExpression }
  | { readonly kind: 'named-query'; readonly name: string };

/** `missing` and type modifiers are told otherwise: see `Criterion` and `ReferenceOperand`. */
export type Modifier =
  | 'exact'
  | 'contains'
  | 'text'
  | 'not'
  | 'above'
  | 'below'
  | 'in'
  | 'not-in'
  | 'of-type'
  | 'identifier';

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

export type Operand =
  | TokenOperand
  | OfTypeOperand
  | TextOperand
  | ValueSetOperand
  | ReferenceOperand
  | StringOperand
  | DateOperand
  | NumberOperand
  | QuantityOperand
  | UriOperand
  | NearOperand
  | CompositeOperand;

/** `system`: null for "has none" (`|code`), undefined for any (`code`). At least one of the two is given. */
export interface TokenOperand {
  readonly kind: 'token';
  readonly system: string | null | undefined;
  readonly code: string | undefined;
}

/** `:of-type`: an identifier whose type has this coding. */
interface OfTypeOperand {
  readonly kind: 'of-type';
  readonly system: string | undefined;
  readonly code: string;
  readonly value: string;
}

/** `:text` */
interface TextOperand {
  readonly kind: 'text';
  readonly text: string;
}

/** `:in` and `:not-in` */
interface ValueSetOperand {
  readonly kind: 'value-set';
  readonly url: string;
}

/** Either a bare `id`, of a resource of one of `types`, or a `reference`. */
export interface ReferenceOperand {
  readonly kind: 'reference';
  readonly id?: string;
  readonly reference?: ParsedReference;
  /** The type modifier, or the types that the parameter may refer to; none given means any. */
  readonly types: readonly string[];
}

interface StringOperand {
  readonly kind: 'string';
  readonly text: string;
}

/** Epoch milliseconds, half-open `[low, high)`, of what the written precision covers. */
export interface DateOperand {
  readonly kind: 'date';
  readonly prefix: Prefix;
  readonly low: number;
  readonly high: number;
  readonly precision: TemporalPrecision;
}

/** Half-open `[low, high)` by the written precision, which only `eq`, `ne` and none look at. */
export interface NumberOperand {
  readonly kind: 'number';
  readonly prefix: Prefix;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Without `system`, `code` may be either the code or the unit. */
export interface QuantityOperand {
  readonly kind: 'quantity';
  readonly prefix: Prefix;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly system: string | undefined;
  readonly code: string | undefined;
}

interface UriOperand {
  readonly kind: 'uri';
  readonly uri: string;
}

/** Degrees; the distance in `unit` (UCUM, kilometres when not given). */
export interface NearOperand {
  readonly kind: 'near';
  readonly latitude: number;
  readonly longitude: number;
  readonly distance: number | undefined;
  readonly unit: string;
}

/** One operand per component of the parameter. */
interface CompositeOperand {
  readonly kind: 'composite';
  readonly operands: readonly Operand[];
}

/** Parameters that shape the result: http://hl7.org/fhir/R4/search.html#return */
export interface SearchControl {
  readonly count?: number;
  readonly sort: readonly SortKey[];
  readonly total?: 'none' | 'estimate' | 'accurate';
  readonly summary?: 'true' | 'text' | 'data' | 'count' | 'false';
  readonly elements?: readonly string[];
  readonly include: readonly Include[];
  readonly revinclude: readonly Include[];
  readonly contained?: 'true' | 'false' | 'both';
  readonly containedType?: 'container' | 'contained';
  readonly format?: string;
  readonly pretty?: boolean;
  /** Epoch milliseconds. */
  readonly since?: number;
  /** Epoch milliseconds, half-open. */
  readonly at?: { readonly low: number; readonly high: number };
  readonly cursor?: string;
}

export interface SortKey {
  /** A search parameter of every type searched, or `_score`. */
  readonly code: string;
  readonly descending: boolean;
}

/** `_include` and `_revinclude`: what the references of one type lead to, or who refers by them. */
export interface Include {
  /** The type that holds the reference; undefined for any (`*`). */
  readonly source: string | undefined;
  /** Undefined for all of its references (`*`). */
  readonly parameter: SearchParameter | undefined;
  /** Only targets of this type. */
  readonly target: string | undefined;
  readonly iterate: boolean;
}
