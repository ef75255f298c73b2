import table from './r4-search-parameters.json' with { type: 'json' };

/** A SearchParameter of R4 4.0.1 (http://hl7.org/fhir/R4/searchparameter-registry.html). */
export interface SearchParameterDefinition {
  readonly url: string;
  /** What a client writes: `birthdate`, `_lastUpdated`. */
  readonly code: string;
  readonly type: 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';
  /** Resource types it applies to; `Resource` and `DomainResource` mean all of theirs. */
  readonly base: readonly string[];
  /** FHIRPath from the resource. Absent for `_query`, `_content` and `_text`. `as` is written as `ofType`. */
  readonly expression?: string;
  readonly target?: readonly string[];
  readonly multipleOr?: boolean;
  readonly multipleAnd?: boolean;
  readonly comparator?: readonly string[];
  readonly modifier?: readonly string[];
  readonly chain?: readonly string[];
  /** Parts of a composite: the canonical URL of each part's definition, and its FHIRPath from the composite's element. */
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}

/** All of R4's search parameters, sorted by URL. */
export const SEARCH_PARAMETERS = table as readonly SearchParameterDefinition[];
