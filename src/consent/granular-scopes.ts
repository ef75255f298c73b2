import { SEARCH_PARAMETERS } from '../fhir/definitions/search-parameters.ts';
import { isSubtype } from '../fhir/fhirpath/types.ts';
import { splitEscaped, unescapeValue } from '../fhir/search/query/escapes.ts';
import type { Scope, ScopeAction } from '../request-context.ts';
import { tokenForm } from '../sealing/blind-index/forms.ts';
import { parameterKey } from '../sealing/blind-index/resource-tokens.ts';
import type { Token, Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import { DIRECTORY_TYPES } from './directory.ts';
import type { RecordCoding, RecordFacts } from './facts.ts';

/**
 * SMART's granular scopes (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters):
 * a scope with search parameters covers the records that a search by them would find. Both locks decide it: the views by
 * the tokens that a version keeps among its facets, `decide` by the opened record.
 */
export interface GranularGrant {
  /** A resource type or `*`. */
  readonly type: string;
  /** Only in these patients' compartments, and in the directory; undefined for no such limit. */
  readonly within: readonly string[] | undefined;
  /** All must hold. */
  readonly conditions: readonly CodeCondition[];
}

/** The record's search parameter has one of these codes; in any system, where none is given. */
export interface CodeCondition {
  readonly parameter: string;
  readonly codings: readonly RecordCoding[];
}

/**
 * What a scope may be restricted by. Of each version the tokens of these are kept for good, so the list is short. A
 * scope that is restricted by anything else covers nothing: what cannot be evaluated denies.
 */
const SCOPE_PARAMETERS: readonly string[] = [
  ...['_security', '_tag', 'category', 'class', 'code', 'type', 'vaccine-code'],
];

export function isWhole({ restriction }: Scope): boolean {
  return restriction.length === 0;
}

/** Whether a restricted scope can be enforced. */
export function isGranular(scope: Scope): boolean {
  return !isWhole(scope) && conditionsOf(scope) !== undefined;
}

/**
 * What the granular scopes of a token cover for an action.
 *
 * @param limited whether `patient/` scopes are limited one by one, beside others that are not
 * @param compartment the patient in context
 */
export function granularGrants(
  scopes: readonly Scope[],
  action: ScopeAction,
  limited: boolean,
  compartment: readonly string[],
): readonly GranularGrant[] {
  return scopes.flatMap((scope) => {
    const within = limited && scope.context === 'patient' ? compartment : undefined;
    const conditions = conditionsOf(scope);
    if (!scope.actions.has(action) || conditions === undefined) return [];
    // A scope without either is one of `coveredTypes`.
    return within === undefined && isWhole(scope) ? [] : [{ type: scope.type, within, conditions }];
  });
}

/** The second lock's answer. */
export function grantCovers({ type, within, conditions }: GranularGrant, record: RecordFacts): boolean {
  return (
    (type === '*' || type === record.type) &&
    (within === undefined || liesWithin(record, within)) &&
    conditions.every(({ parameter, codings }) => {
      const found = record.codings(parameter);
      return codings.some((wanted) =>
        found.some((one) => one.code === wanted.code && (wanted.system === undefined || one.system === wanted.system)),
      );
    })
  );
}

/** A record of no patient lies in every compartment when it is of the directory, else in none. */
function liesWithin({ patients, type }: RecordFacts, within: readonly string[]): boolean {
  return patients.length === 0 ? DIRECTORY_TYPES.has(type) : patients.some((one) => within.includes(one));
}

/** The first lock's question: of each list one token must be there. */
export function grantTokens({ type, conditions }: GranularGrant, tokenizer: Tokenizer): readonly (readonly Token[])[] {
  return conditions.map(({ parameter, codings }) =>
    codings.map(({ system, code }) =>
      tokenizer.token(parameterKey({ base: type, code: parameter }), tokenForm(system, code)),
    ),
  );
}

/** What a version keeps so that those questions can be answered: the tokens that search has for the same. */
export function scopeTokens(record: RecordFacts, tokenizer: Tokenizer): readonly Token[] {
  return SCOPE_PARAMETERS.flatMap((parameter) => {
    const key = parameterKey({ base: record.type, code: parameter });
    return record
      .codings(parameter)
      .flatMap(({ system, code }) => [
        ...(system === undefined ? [] : [tokenizer.token(key, tokenForm(system, code))]),
        tokenizer.token(key, tokenForm(undefined, code)),
      ]);
  });
}

/** Undefined when any of them cannot be evaluated. */
function conditionsOf({ type, restriction }: Scope): readonly CodeCondition[] | undefined {
  const conditions = restriction.map(([parameter, value]) => conditionOf(type, parameter, value));
  return conditions.every((one) => one !== undefined) ? conditions : undefined;
}

function conditionOf(type: string, parameter: string, value: string): CodeCondition | undefined {
  if (!SCOPE_PARAMETERS.includes(parameter) || !isTokenParameter(type, parameter)) return undefined;
  const codings = splitEscaped(value, ',').map(readCoding);
  return codings.every((one) => one !== undefined) ? { parameter, codings } : undefined;
}

/** For all types at once only what all of them have. */
function isTokenParameter(type: string, parameter: string): boolean {
  const base = type === '*' ? 'Resource' : type;
  return SEARCH_PARAMETERS.some(
    (one) => one.code === parameter && one.type === 'token' && one.base.some((name) => isSubtype(base, name)),
  );
}

/** `system|code` or `code`. Neither `|code` nor `system|` is kept for a version. */
function readCoding(text: string): RecordCoding | undefined {
  const parts = splitEscaped(text, '|').map(unescapeValue);
  const [first = '', second = ''] = parts;
  if (parts.length === 1 && first !== '') return { system: undefined, code: first };
  return parts.length === 2 && first !== '' && second !== '' ? { system: first, code: second } : undefined;
}
