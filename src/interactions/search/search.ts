import type { GuardedSearch, PermittedRecord } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { isResourceType } from '../../fhir/definitions/definitions.ts';
import { matchesResource } from '../../fhir/search/match.ts';
import { parseSearch, type SearchBranch, type SearchControl, type SearchQuery } from '../../fhir/search/query.ts';
import type { Criterion } from '../../repository/criteria.ts';
import { translate } from '../../repository/search-criteria.ts';
import type { RequestContext } from '../../request-context.ts';
import { typeToken } from '../../sealing/blind-index/resource-tokens.ts';
import { anchoredContents } from '../anchor-state.ts';
import { searchAuditEvents } from '../audit-event/search.ts';
import { bundleText, type TextEntry } from '../bundle-text.ts';
import { queryText } from '../query-text.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import { baseOf, type SearchBase } from './base.ts';
import type { Cursor } from './cursor.ts';
import { includedBy } from './include.ts';
import { pageByChange } from './page-by-change.ts';
import { pageBySortKeys } from './page-by-sort-keys.ts';
import type { PreparedSearch } from './prepared.ts';
import { requireScopesOfHops } from './scopes.ts';
import { totalFor, totalOf } from './total.ts';

export interface SearchRequest {
  readonly type: string;
  /** Decoded name-value pairs, in order. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
  readonly handling: 'strict' | 'lenient';
  /** Whether the pairs came in the body: then no link repeats them in the clear. */
  readonly posted: boolean;
}

export type SearchServices = Pick<
  Services,
  | 'reader'
  | 'trail'
  | 'registry'
  | 'tokenizer'
  | 'sourcesOf'
  | 'names'
  | 'institutions'
  | 'cursors'
  | 'evidence'
  | 'publicUrl'
>;

/** The sealed cursor of a search: the search itself and the position. */
interface SearchCursor extends Cursor {
  readonly pairs: readonly (readonly [string, string])[];
  readonly handling: 'strict' | 'lenient';
  readonly after: object | undefined;
}

const DEFAULT_COUNT = 20;
const MAX_COUNT = 1000;

/** http://hl7.org/fhir/R4/http.html#search on a type, at one institution's base or over the union of all. */
export async function search(
  services: SearchServices,
  context: RequestContext,
  request: SearchRequest,
): Promise<InteractionResult> {
  const { type } = request;
  if (!isResourceType(type)) throw new MedSealError('not-supported', 'There is no such resource type');
  if (type === 'AuditEvent') return searchAuditEvents(services, context, request);
  const guarded = services.reader.search(context, type);
  const base = baseOf(services, context);
  const purpose = `search ${base.name}/${type}`;
  const cursor = request.pairs.find(([name]) => name === '_cursor')?.[1];
  const resumed = cursor === undefined ? undefined : services.cursors.open<SearchCursor>(cursor, purpose, context);
  const { pairs, handling } = resumed ?? request;
  const query = parseSearch(type, pairs, services.registry, { handling, now: context.instant });
  requireScopesOfHops(context, query);
  const prepared = prepare(services, query, type, base, guarded);
  const url = `${base.url}/${type}`;
  if (query.control.summary === 'count' || query.control.count === 0) {
    const total = await totalOf(prepared);
    return { status: 200, body: bundleText({ type: 'searchset', total, link: selfLink(), entry: [] }) };
  }
  const page = await (sortsByChange(prepared.sort) ? pageByChange : pageBySortKeys)(prepared, resumed?.after);
  const total = await totalFor(prepared, query.control, page, resumed === undefined);
  const link = selfLink();
  if (page.next !== undefined) {
    link.push({ relation: 'next', url: sealedLink(page.next) });
  }
  const included = await includedBy(services, context, base, query.control, page.records);
  const records = [...page.records, ...included];
  for (const record of records) prepared.search.shown(record);
  const contents = await anchoredContents(services, records);
  const entry = records.map((record, index) =>
    entryOf(services, record, contents[index], index < page.records.length ? 'match' : 'include'),
  );
  const body = bundleText({ type: 'searchset', ...(total === undefined ? {} : { total }), link, entry });
  return { status: 200, body };

  function sealedLink(after: object | undefined): string {
    return `${url}?_cursor=${services.cursors.seal({ pairs, handling, after }, purpose, context)}`;
  }

  /** The search as it was understood, without what was ignored; a posted one only sealed. */
  function selfLink(): { relation: string; url: string }[] {
    if (request.posted || resumed !== undefined) return [{ relation: 'self', url: sealedLink(resumed?.after) }];
    const understood = pairs.filter(([name]) => !query.ignored.includes(name));
    const text = queryText(understood);
    return [{ relation: 'self', url: text === '' ? url : `${url}?${text}` }];
  }
}

function prepare(
  services: SearchServices,
  query: SearchQuery,
  type: string,
  base: SearchBase,
  guarded: GuardedSearch,
): PreparedSearch {
  const { control } = query;
  refuseUnsupported(control);
  const branch = query.branches[0] as SearchBranch;
  const { tokenizer, names, sourcesOf } = services;
  const questions = branch.criteria.map((criterion) => ({
    asked: criterion,
    ...translate(criterion, { tokenizer, names, sourcesOf, institutions: base.institutions, type }),
  }));
  const inexact = questions.filter((question) => !question.exact).map((question) => question.asked);
  const of: Criterion[] = questions.map((question) => question.criterion);
  if (of.length === 0) of.push({ kind: 'every', tokens: [typeToken(tokenizer, type)] });
  return {
    search: guarded,
    plans: [{ type, institution: base.institution, criterion: { kind: 'all', of } }],
    decide:
      inexact.length === 0
        ? undefined
        : ({ resource }) =>
            resource !== undefined && inexact.every((criterion) => matchesResource(criterion, resource)),
    sort: control.sort,
    count: Math.min(control.count ?? DEFAULT_COUNT, MAX_COUNT),
  };
}

/** Refused rather than passed over: the answer would look complete and be another. */
function refuseUnsupported(control: SearchControl): void {
  const found = [
    // The access trail is no resource of the index.
    control.revinclude.some(({ source }) => source === 'AuditEvent') ? '_revinclude' : undefined,
    control.elements === undefined ? undefined : '_elements',
    control.contained === undefined ? undefined : '_contained',
    control.summary === undefined || control.summary === 'count' || control.summary === 'false'
      ? undefined
      : '_summary',
  ].find((name) => name !== undefined);
  if (found === undefined) return;
  throw new MedSealError('search-not-supported', `${found} is not supported in this form`, { expression: found });
}

function sortsByChange(sort: SearchControl['sort']): boolean {
  return sort.length === 0 || (sort.length === 1 && sort[0]?.code === '_lastUpdated');
}

function entryOf(
  { publicUrl }: SearchServices,
  { institution, row, id }: PermittedRecord,
  content: string | Buffer | undefined,
  mode: 'match' | 'include',
): TextEntry {
  if (content === undefined) throw new MedSealError('internal', 'A search found a deleted record');
  return {
    fullUrl: `${publicUrl}/${institution}/fhir/${row.type}/${id}`,
    resource: content,
    members: { search: { mode } },
  };
}
