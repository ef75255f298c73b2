import { MedSealError } from '../../errors.ts';
import { parseSearch } from '../../fhir/search/query.ts';
import type { RequestContext } from '../../request-context.ts';
import { searchAuditEvents } from '../audit-event/search.ts';
import { bundleText, type TextEntry } from '../bundle-text.ts';
import { operationOutcome } from '../operation-outcome.ts';
import { queryText } from '../query-text.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import { baseOf } from './base.ts';
import type { Cursor } from './cursor.ts';
import { entriesOf } from './entries.ts';
import { includedBy } from './include.ts';
import { pageByChange } from './page-by-change.ts';
import { pageBySortKeys } from './page-by-sort-keys.ts';
import { prepare, sortsByChange } from './prepare.ts';
import { requireScopes } from './scopes.ts';
import { checkTarget, pathOf, type SearchTarget, searchableType } from './target.ts';
import { totalFor, totalOf } from './total.ts';

export interface SearchRequest extends SearchTarget {
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
  | 'terminology'
  | 'custom'
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

/**
 * http://hl7.org/fhir/R4/http.html#search on a type, a compartment or everything, at one institution's base or over the
 * union of all.
 */
export async function search(
  given: SearchServices,
  context: RequestContext,
  request: SearchRequest,
): Promise<InteractionResult> {
  checkTarget(request);
  const { type } = request;
  const services = { ...given, registry: given.custom.searched(nameOf(context)) };
  if (type === 'AuditEvent') return searchAuditEvents(services, context, inTrail(request));
  const guarded = services.reader.search(context, type ?? searchableType(context));
  const base = baseOf(services, context);
  const path = pathOf(request);
  const purpose = `search ${base.name}${path}`;
  const cursor = request.pairs.find(([name]) => name === '_cursor')?.[1];
  const resumed = cursor === undefined ? undefined : services.cursors.open<SearchCursor>(cursor, purpose, context);
  const { pairs, handling } = resumed ?? request;
  const query = parseSearch(type, pairs, services.registry, { handling, now: context.instant });
  requireScopes(context, query);
  const prepared = await prepare(services, context, query, request, base, guarded);
  const url = base.url + path;
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
  for (const record of [...page.records, ...included]) prepared.search.shown(record);
  const shown = await entriesOf(services, query.control, page.records, included);
  const entry = [...shown, ...outcomeOf(query.ignored)];
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

/** '' for the union, which knows R4's parameters alone. */
function nameOf({ base }: RequestContext): string {
  return base.kind === 'union' ? '' : base.institution;
}

/** What was passed over is told beside the matches. http://hl7.org/fhir/R4/search.html#errors */
function outcomeOf(ignored: readonly string[]): readonly TextEntry[] {
  if (ignored.length === 0) return [];
  const issues = ignored.map((name) => ({
    severity: 'warning' as const,
    diagnostics: `The search parameter ${name} is not known and was ignored`,
    expression: name,
  }));
  const outcome = operationOutcome(new MedSealError('unknown-parameter', 'Parameters were ignored', { issues }));
  return [{ resource: JSON.stringify(outcome), members: { search: { mode: 'outcome' } } }];
}

/** The access trail is asked for a patient's compartment by its own parameter. */
function inTrail({ compartment, ...request }: SearchRequest): SearchRequest & { readonly type: string } {
  const isResumed = request.pairs.some(([name]) => name === '_cursor');
  const patient = compartment === undefined || isResumed ? [] : [['patient', `Patient/${compartment.id}`] as const];
  return { ...request, type: 'AuditEvent', pairs: [...request.pairs, ...patient] };
}
