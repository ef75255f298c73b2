import { hasScope } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { matchesResource } from '../../fhir/search/match.ts';
import type { Criterion as SearchCriterion, SearchQuery } from '../../fhir/search/query.ts';
import type { Criterion } from '../../repository/criteria.ts';
import { translate } from '../../repository/search-criteria.ts';
import type { ValueSetCodes } from '../../repository/search-index.ts';
import type { RequestContext } from '../../request-context.ts';
import type { Services } from '../services.ts';
import type { SearchBase } from './base.ts';
import { MAX_OPENED, tooCostly } from './prepared.ts';
import { everyRow } from './walk.ts';

export type HopServices = Pick<Services, 'reader' | 'registry' | 'terminology' | 'tokenizer' | 'sourcesOf' | 'names'>;

/** Of criteria at the far end of a hop: the resources that meet them. */
export type FoundHops = ReadonlyMap<SearchCriterion, Criterion>;

/** Statements that one search may take for its hops, such as one for each type that a chain may lead through. */
const MAX_HOPS = 60;

/**
 * One step of a chain or `_has` is part of the search's own statement. Of longer ones, and of those that the index answers
 * as a superset only, the far end is looked up first, within what the requester may see, and decided after opening as any
 * match is; so each statement has one step at most, whatever the depth
 * (http://hl7.org/fhir/R4/search.html#chaining, #has).
 *
 * @throws MedSealError `too-costly`
 */
export async function findHops(
  services: HopServices,
  context: RequestContext,
  base: SearchBase,
  { branches }: SearchQuery,
  valueSets: ValueSetCodes,
): Promise<FoundHops> {
  const found = new Map<SearchCriterion, Criterion>();
  let hops = 0;

  async function visit(criterion: SearchCriterion): Promise<void> {
    for (const { type, criterion: inner } of endsOf(criterion)) {
      await visit(inner);
      const question = translate(inner, { ...services, institutions: base.institutions, type, found, valueSets });
      if (question.exact && endsOf(inner).length === 0) continue;
      hops += 1;
      if (hops > MAX_HOPS) throw branching();
      const idTokens = hasScope(context, type, 's') ? await meeting(type, inner, question) : [];
      found.set(inner, { kind: 'ids', idTokens });
    }
  }

  async function meeting(
    type: string,
    asked: SearchCriterion,
    { criterion, exact }: { readonly criterion: Criterion; readonly exact: boolean },
  ): Promise<readonly string[]> {
    const search = services.reader.search(context, type);
    const plan = { type, institution: undefined, criterion };
    if (exact) {
      const rows = await search.sortRows(plan, MAX_OPENED + 1);
      if (rows.length > MAX_OPENED) throw tooCostly();
      return rows.map(({ idToken }) => idToken);
    }
    const idTokens: string[] = [];
    for await (const row of everyRow(search, plan, { left: MAX_OPENED })) {
      const record = await search.open(row);
      if (record?.resource !== undefined && matchesResource(asked, record.resource)) idTokens.push(row.idToken);
    }
    return idTokens;
  }

  for (const { criteria } of branches) for (const criterion of criteria) await visit(criterion);
  return found;
}

/** Where a hop leads, and what is asked there; nothing of what is no hop. */
function endsOf(criterion: SearchCriterion): readonly { readonly type: string; readonly criterion: SearchCriterion }[] {
  if (criterion.kind === 'chain') return criterion.targets;
  return criterion.kind === 'has' ? [{ type: criterion.type, criterion: criterion.criterion }] : [];
}

function branching(): MedSealError {
  return new MedSealError(
    'too-costly',
    'The chain leads through too many types; name them, as in subject:Patient.name',
  );
}
