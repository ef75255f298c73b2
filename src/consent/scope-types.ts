import type { Scope, ScopeAction } from '../request-context.ts';

/** Resource types, or `*` for all of them. */
export type CoveredTypes = readonly string[] | '*';

/**
 * The resource types that a token's scopes cover for an action. A granular scope covers none of its type until what it
 * is restricted to can be decided for each record: what cannot be evaluated denies.
 */
export function coveredTypes(scopes: readonly Scope[], action: ScopeAction): CoveredTypes {
  const whole = scopes.filter((scope) => scope.actions.has(action) && scope.restriction.length === 0);
  return whole.some((scope) => scope.type === '*') ? '*' : [...new Set(whole.map((scope) => scope.type))];
}

export function covers(types: CoveredTypes, type: string): boolean {
  return types === '*' || types.includes(type);
}
