import type { Scope, ScopeAction } from '../request-context.ts';
import { isGranular, isWhole } from './granular-scopes.ts';

/** Resource types, or `*` for all of them. */
export type CoveredTypes = readonly string[] | '*';

/**
 * The resource types that a token's scopes cover whole for an action. What a granular scope covers is decided record by
 * record (granular-scopes.ts).
 */
export function coveredTypes(scopes: readonly Scope[], action: ScopeAction): CoveredTypes {
  const whole = scopes.filter((scope) => scope.actions.has(action) && isWhole(scope));
  return whole.some((scope) => scope.type === '*') ? '*' : [...new Set(whole.map((scope) => scope.type))];
}

export function covers(types: CoveredTypes, type: string): boolean {
  return types === '*' || types.includes(type);
}

/** Whether the scopes cover the type for the action, be it some of its records only. */
export function coversSome(scopes: readonly Scope[], action: ScopeAction, type: string): boolean {
  return scopes.some(
    (scope) =>
      (scope.type === '*' || scope.type === type) && scope.actions.has(action) && (isWhole(scope) || isGranular(scope)),
  );
}
