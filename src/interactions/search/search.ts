import type { GuardedSearch, PermittedRecord } from '../../consent/guarded-reader.ts';
import { hasScope, notFound, requireScope } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { isResourceType } from '../../fhir/definitions/definitions.ts';
import { matchesResource } from '../../fhir/search/match.ts';
import {
  parseSearch,
  type SearchBranch,
  type SearchControl,
  type Criterion as SearchCriterion,
  type SearchQuery,
} from '../../fhir/search/query.ts';
import type { Criterion } from '../../repository/criteria.ts';
import type { Position } from '../../repository/permitted.ts';
import { translate } from '../../repository/search-criteria.ts';
import type { RequestContext } from '../../request-context.ts';
import { typeToken } from '../../sealing/blind-index/resource-tokens.ts';
import { anchoredContents } from '../anchor-state.ts';
import { searchAuditEvents } from '../audit-event/search.ts';
import { bundleText, type TextEntry } from '../bundle-text.ts';
import { queryText } from '../query-text.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import type { Cursor } from './cursor.ts';
import { pageByChange } from './page-by-change.ts';
import { pageBySortKeys } from './page-by-sort-keys.ts';
import { MAX_OPENED, type PreparedSearch, type SearchPage, tooCostly } from './prepared.ts';

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
  for (const record of page.records) prepared.search.shown(record);
  const contents = await anchoredContents(services, page.records);
  const entry = page.records.map((record, index) => entryOf(services, record, contents[index]));
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

interface SearchBase {
  readonly name: string;
  readonly url: string;
  /** undefined for the union. */
  readonly institution: number | undefined;
  readonly institutions: readonly string[];
}

function baseOf({ institutions, publicUrl }: SearchServices, { base }: RequestContext): SearchBase {
  if (base.kind === 'union') {
    const all = institutions.own().map((one) => one.name);
    return { name: '', url: `${publicUrl}/fhir`, institution: undefined, institutions: all };
  }
  const institution = institutions.find(base.institution);
  if (institution === undefined) throw notFound();
  const { name, id } = institution;
  return { name, url: `${publicUrl}/${name}/fhir`, institution: id, institutions: [name] };
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
    plan: { type, institution: base.institution, criterion: { kind: 'all', of } },
    decide:
      inexact.length === 0
        ? undefined
        : ({ resource }) =>
            resource !== undefined && inexact.every((criterion) => matchesResource(criterion, resource)),
    sort: control.sort,
    count: Math.min(control.count ?? DEFAULT_COUNT, MAX_COUNT),
  };
}

/**
 * What a chain leads through needs a scope too (DESIGN 7.1): from the token alone, so that an empty answer always means
 * that nothing was found. A reference that may lead to several types needs one of them; the views leave the others out.
 */
function requireScopesOfHops(context: RequestContext, { branches }: SearchQuery): void {
  const visit = (criterion: SearchCriterion): void => {
    if (criterion.kind === 'has') {
      requireScope(context, criterion.type, 's');
      visit(criterion.criterion);
    }
    if (criterion.kind !== 'chain') return;
    const covered = criterion.targets.filter(({ type }) => hasScope(context, type, 's'));
    if (covered.length === 0) requireScope(context, criterion.targets[0]?.type ?? '', 's');
    for (const target of covered) visit(target.criterion);
  };
  for (const branch of branches) branch.criteria.forEach(visit);
}

/** Refused rather than passed over: the answer would look complete and be another. */
function refuseUnsupported(control: SearchControl): void {
  const found = [
    control.include.length > 0 ? '_include' : undefined,
    control.revinclude.length > 0 ? '_revinclude' : undefined,
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

/** Known for nothing when everything is on the first page; counted when asked for. */
async function totalFor(
  prepared: PreparedSearch,
  control: SearchControl,
  page: SearchPage,
  first: boolean,
): Promise<number | undefined> {
  if (first && page.next === undefined) return page.records.length;
  return control.total === 'accurate' || control.total === 'estimate' ? totalOf(prepared) : undefined;
}

async function totalOf({ search: guarded, plan, decide }: PreparedSearch): Promise<number> {
  if (decide === undefined) return guarded.count(plan);
  let total = 0;
  let opened = 0;
  let beyond: Position | undefined;
  for (;;) {
    const rows = await guarded.page(plan, { limit: MAX_COUNT, descending: false, beyond });
    for (const row of rows) {
      const record = await guarded.open(row);
      if (record !== undefined && decide(record)) total += 1;
      beyond = row;
    }
    opened += rows.length;
    if (rows.length < MAX_COUNT) return total;
    if (opened >= MAX_OPENED) throw tooCostly();
  }
}

function entryOf(
  { publicUrl }: SearchServices,
  { institution, row, id }: PermittedRecord,
  content: string | Buffer | undefined,
): TextEntry {
  if (content === undefined) throw new MedSealError('internal', 'A search found a deleted record');
  return {
    fullUrl: `${publicUrl}/${institution}/fhir/${row.type}/${id}`,
    resource: content,
    members: { search: { mode: 'match' } },
  };
}
