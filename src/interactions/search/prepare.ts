import type { GuardedSearch } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { matchesResource } from '../../fhir/search/match.ts';
import type {
  SearchBranch,
  SearchControl,
  Criterion as SearchCriterion,
  SearchQuery,
} from '../../fhir/search/query.ts';
import { isSelective } from '../../repository/common-tokens.ts';
import type { Criterion } from '../../repository/criteria.ts';
import type { SearchPlan } from '../../repository/permitted.ts';
import { translate } from '../../repository/search-criteria.ts';
import type { ValueSetCodes } from '../../repository/search-index.ts';
import type { RequestContext } from '../../request-context.ts';
import { typeToken } from '../../sealing/blind-index/resource-tokens.ts';
import type { SearchBase } from './base.ts';
import { customSort } from './custom-sort.ts';
import { type FoundHops, findHops, type HopServices } from './hops.ts';
import type { PreparedSearch } from './prepared.ts';
import { membership, type SearchTarget } from './target.ts';
import { findValueSets } from './value-sets.ts';

const DEFAULT_COUNT = 20;
const MAX_COUNT = 1000;
/** Each is a statement of its own for every page. */
const MAX_TYPES = 40;

/** Turns a parsed search into questions for the index, and what is left to decide after opening. */
export async function prepare(
  services: HopServices,
  context: RequestContext,
  query: SearchQuery,
  target: SearchTarget,
  base: SearchBase,
  search: GuardedSearch,
): Promise<PreparedSearch> {
  const { control } = query;
  refuseUnsupported(query);
  const valueSets = await findValueSets(services, query);
  const found = await findHops(services, context, base, query, valueSets);
  const known = { found, valueSets };
  const branches = query.branches.map((branch) => prepareBranch(services, branch, target, base, known));
  const undecided = new Map(branches.map(({ plan, inexact }) => [plan.type, inexact]));
  const exact = branches.every(({ inexact }) => inexact.length === 0);
  return {
    search,
    plans: branches.map(({ plan }) => plan),
    decide: exact
      ? undefined
      : ({ row, resource }) =>
          resource !== undefined &&
          (undecided.get(row.type) ?? undecided.get(undefined) ?? []).every((criterion) =>
            matchesResource(criterion, resource),
          ),
    sort: control.sort,
    customSort: customSort(services.registry, query),
    count: Math.min(control.count ?? DEFAULT_COUNT, MAX_COUNT),
  };
}

function prepareBranch(
  services: HopServices,
  { type, criteria }: SearchBranch,
  target: SearchTarget,
  base: SearchBase,
  known: { readonly found: FoundHops; readonly valueSets: ValueSetCodes },
): { readonly plan: SearchPlan; readonly inexact: readonly SearchCriterion[] } {
  const { institutions, institution } = base;
  const questions = criteria.map((criterion) => ({
    asked: criterion,
    ...translate(criterion, { ...services, ...known, institutions, type }),
  }));
  const of: Criterion[] = [
    ...membership(services, base, target, type),
    ...questions.map((question) => question.criterion),
  ];
  if (type === undefined) requireIndexed(of);
  else if (of.length === 0) of.push({ kind: 'every', tokens: [typeToken(services.tokenizer, type)], implied: true });
  return {
    plan: { type, institution, criterion: { kind: 'all', of } },
    inexact: questions.filter((question) => !question.exact).map((question) => question.asked),
  };
}

/** Without a type only tokens or ids lead to rows: anything else would read all that there is. */
function requireIndexed(of: readonly Criterion[]): void {
  if (isSelective({ kind: 'all', of }, new Set())) return;
  throw new MedSealError('too-costly', 'A search over all types needs _type, or _id, _tag, _profile or _security', {
    expression: '_type',
  });
}

/** Refused rather than passed over: the answer would look complete and be another. */
function refuseUnsupported({ control, branches }: SearchQuery): void {
  const { contained, summary, include, revinclude } = control;
  if (branches.length > MAX_TYPES) {
    throw new MedSealError('too-costly', `At most ${MAX_TYPES} types can be searched at once`, { expression: '_type' });
  }
  const found = [
    // The access trail is no resource of the index.
    revinclude.some(({ source }) => source === 'AuditEvent') ? '_revinclude' : undefined,
    branches.some(({ type }) => type === 'AuditEvent') ? '_type' : undefined,
    contained === undefined || contained === 'false' ? undefined : '_contained',
    control.sort.some(({ code }) => code === '_score') ? '_sort' : undefined,
  ].find((name) => name !== undefined);
  if (found !== undefined) {
    throw new MedSealError('search-not-supported', `${found} is not supported in this form`, { expression: found });
  }
  // http://hl7.org/fhir/R4/search.html#summary
  if (summary === 'text' && include.length + revinclude.length > 0) {
    throw new MedSealError('invalid-parameter', '_summary=text cannot be combined with _include or _revinclude', {
      expression: '_summary',
    });
  }
}

export function sortsByChange(sort: SearchControl['sort']): boolean {
  return sort.length === 0 || (sort.length === 1 && sort[0]?.code === '_lastUpdated');
}
