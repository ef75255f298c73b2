import { hasScope, requireScope } from '../../consent/guarded-reader.ts';
import { RESOURCE_TYPES } from '../../fhir/definitions/definitions.ts';
import type { Include, Criterion as SearchCriterion, SearchQuery } from '../../fhir/search/query.ts';
import type { RequestContext } from '../../request-context.ts';

/**
 * Each type that a search names needs a scope, and so does what it leads through (DESIGN 7.1): from the token alone, so that an empty answer always means
 * that nothing was found. A reference that may lead to several types needs one of them; the views leave the others out.
 */
export function requireScopes(context: RequestContext, { branches, control }: SearchQuery): void {
  const visit = (criterion: SearchCriterion): void => {
    if (criterion.kind === 'list') requireScope(context, 'List', 's');
    if (criterion.kind === 'has') {
      requireScope(context, criterion.type, 's');
      visit(criterion.criterion);
    }
    if (criterion.kind !== 'chain') return;
    const covered = criterion.targets.filter(({ type }) => hasScope(context, type, 's'));
    if (covered.length === 0) requireScope(context, criterion.targets[0]?.type ?? '', 's');
    for (const target of covered) visit(target.criterion);
  };
  for (const { type, criteria } of branches) {
    if (type !== undefined) requireScope(context, type, 's');
    criteria.forEach(visit);
  }
  for (const include of control.include) {
    if (include.parameter !== undefined) requireOneOf(context, targetTypes(include));
  }
  for (const { source } of control.revinclude) if (source !== undefined) requireScope(context, source, 's');
}

/** The types that an include may lead to; those of `*` are told by each reference. */
function targetTypes({ target, parameter }: Include): readonly string[] {
  if (target !== undefined) return [target];
  const targets = parameter?.targets ?? [];
  return targets.length === 0 || targets.includes('Resource') ? RESOURCE_TYPES : targets;
}

function requireOneOf(context: RequestContext, types: readonly string[]): void {
  if (!types.some((type) => hasScope(context, type, 's'))) requireScope(context, types[0] ?? '', 's');
}
