import type { TrailEntry } from '../../consent/guarded-trail.ts';
import { utcText } from '../../fhir/fhirpath/temporal.ts';
import { type Operand, parseSearch, type Criterion as SearchCriterion } from '../../fhir/search/query.ts';
import type { AccessQuery } from '../../repository/permitted-access.ts';
import type { RequestContext } from '../../request-context.ts';
import { bundleText } from '../bundle-text.ts';
import { queryText } from '../query-text.ts';
import type { InteractionResult } from '../result.ts';
import { institutionOf } from '../search/base.ts';
import type { Cursor } from '../search/cursor.ts';
import type { SearchRequest } from '../search/search.ts';
import type { Services } from '../services.ts';
import { eventFilter } from './match.ts';
import { auditEventOf } from './resource.ts';

type AuditServices = Pick<Services, 'trail' | 'registry' | 'names' | 'institutions' | 'cursors' | 'publicUrl'>;

interface TrailCursor extends Cursor {
  readonly pairs: SearchRequest['pairs'];
  readonly before: string;
}

const DEFAULT_COUNT = 20;
const MAX_COUNT = 1000;

/** The access trail, newest first: by patient, time and id, and of these by agent, entity, outcome, action and type. */
export async function searchAuditEvents(
  services: AuditServices,
  context: RequestContext,
  request: SearchRequest,
): Promise<InteractionResult> {
  const base = context.base.kind === 'institution' ? context.base.institution : '';
  const purpose = `audit ${base}`;
  const cursor = request.pairs.find(([name]) => name === '_cursor')?.[1];
  const resumed = cursor === undefined ? undefined : services.cursors.open<TrailCursor>(cursor, purpose, context);
  const pairs = resumed?.pairs ?? request.pairs;
  const { branches, control } = parseSearch('AuditEvent', pairs, services.registry, {
    handling: request.handling,
    now: context.instant,
  });
  const limit = Math.min(control.count ?? DEFAULT_COUNT, MAX_COUNT);
  const before = resumed === undefined ? undefined : BigInt(resumed.before);
  const criteria = branches[0]?.criteria ?? [];
  const { entries, more } = await findEntries(services, context, criteria, before, limit);
  const url = `${baseUrl(services, context)}/AuditEvent`;
  const self = request.posted || resumed !== undefined || pairs.length === 0 ? url : `${url}?${queryText(pairs)}`;
  const link = [{ relation: 'self', url: self }];
  if (more !== undefined) {
    const next = services.cursors.seal({ pairs, before: more.toString() }, purpose, context);
    link.push({ relation: 'next', url: `${url}?_cursor=${next}` });
  }
  const body = bundleText({ type: 'searchset', link, entry: entries.map((entry) => entryOf(services, entry)) });
  return { status: 200, body };
}

/**
 * Newest first. What the columns do not answer is decided after opening; when too much would have to be opened for one
 * page, the page ends there and the next one goes on.
 *
 * @returns `more`: the row below which the next page begins
 */
async function findEntries(
  services: AuditServices,
  context: RequestContext,
  criteria: readonly SearchCriterion[],
  start: bigint | undefined,
  limit: number,
): Promise<{ readonly entries: readonly TrailEntry[]; readonly more: bigint | undefined }> {
  const base = context.base.kind === 'institution' ? context.base.institution : undefined;
  const filters = criteria
    .map((criterion) => eventFilter(criterion, services.names, base))
    .filter((filter) => filter !== undefined);
  const indexed = criteria.filter((criterion) => 'parameter' in criterion && INDEXED.has(criterion.parameter.code));
  const chunk = filters.length === 0 ? limit + 1 : MAX_COUNT;
  const entries: TrailEntry[] = [];
  let before = start;
  for (let opened = 0; opened < MAX_OPENED; opened += chunk) {
    const found = await services.trail.entries(context, 's', trailQuery(services, context, indexed, before, chunk));
    for (const entry of found) {
      if (entries.length === limit) return { entries, more: before };
      before = entry.row;
      const event = filters.length === 0 ? {} : resourceOf(services, entry);
      if (filters.every((filter) => filter(event))) entries.push(entry);
    }
    if (found.length < chunk) return { entries, more: undefined };
  }
  return { entries, more: before };
}

/** What the trail's columns answer. */
const INDEXED: ReadonlySet<string> = new Set(['patient', 'date', '_id']);
/** Opened for one page at most (DESIGN §6). */
const MAX_OPENED = 10_000;

/** One entry of the trail by its id; undefined when it is not the trail's, or not to be seen. */
export async function readAuditEvent(
  services: AuditServices,
  context: RequestContext,
  id: string,
): Promise<InteractionResult | undefined> {
  const entry = await trailEntry(services, context, id);
  if (entry === undefined) return undefined;
  return { status: 200, body: JSON.stringify(resourceOf(services, entry)), version: 1, lastModified: entry.at };
}

/** The same, as the trail has it. */
export async function trailEntry(
  services: Pick<AuditServices, 'trail' | 'institutions' | 'names'>,
  context: RequestContext,
  id: string,
): Promise<TrailEntry | undefined> {
  if (!UUID.test(id)) return undefined;
  const query = { ...trailQuery(services, context, [], undefined, 1), idTokens: [id] };
  return (await services.trail.entries(context, 'r', query))[0];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function resourceOf({ publicUrl }: AuditServices, entry: TrailEntry) {
  return auditEventOf(entry, (name) => name.replace(/^([^/]+)\//, `${publicUrl}/$1/fhir/`));
}

function entryOf(services: AuditServices, entry: TrailEntry) {
  return {
    fullUrl: `${services.publicUrl}/${entry.institution}/fhir/AuditEvent/${entry.id}`,
    resource: JSON.stringify(resourceOf(services, entry)),
    members: { search: { mode: 'match' } },
  };
}

function baseUrl({ publicUrl }: AuditServices, { base }: RequestContext): string {
  return base.kind === 'union' ? `${publicUrl}/fhir` : `${publicUrl}/${base.institution}/fhir`;
}

function trailQuery(
  services: Pick<AuditServices, 'institutions' | 'names'>,
  context: RequestContext,
  criteria: readonly SearchCriterion[],
  before: bigint | undefined,
  limit: number,
): AccessQuery {
  const institution = context.base.kind === 'union' ? undefined : institutionOf(services, context);
  const institutions =
    institution === undefined ? services.institutions.all().map((one) => one.name) : [institution.name];
  const patients: string[][] = [];
  const times: { from: string | undefined; until: string | undefined }[][] = [];
  let idTokens: readonly string[] | undefined;
  for (const criterion of criteria) {
    const code = criterion.kind === 'match' && criterion.modifier === undefined ? criterion.parameter.code : '';
    const operands = criterion.kind === 'match' ? criterion.operands : [];
    if (code === 'patient') patients.push(operands.flatMap((one) => patientsOf(services, institutions, one)));
    else if (code === 'date') times.push(operands.flatMap(timesOf));
    else if (code === '_id') idTokens = operands.flatMap((one) => (one.kind === 'token' && one.code ? [one.code] : []));
  }
  return {
    institution: institution?.id,
    idTokens: idTokens?.filter((id) => UUID.test(id)),
    patients,
    times,
    before,
    limit,
  };
}

function patientsOf(
  { names }: Pick<AuditServices, 'names'>,
  institutions: readonly string[],
  operand: Operand,
): readonly string[] {
  if (operand.kind !== 'reference') return [];
  const { id, reference } = operand;
  return institutions.flatMap((institution) => {
    const name =
      id !== undefined ? names.name(institution, 'Patient', id) : reference && names.nameOf(reference, institution);
    return name === undefined ? [] : [names.idToken(name)];
  });
}

/** AuditEvent.recorded is an instant, so every prefix is a range or two. */
function timesOf(operand: Operand): { from: string | undefined; until: string | undefined }[] {
  if (operand.kind !== 'date') return [];
  const low = utcText(operand.low);
  const high = utcText(operand.high);
  const above = { from: high, until: undefined };
  const below = { from: undefined, until: low };
  switch (operand.prefix) {
    case 'gt':
    case 'sa':
      return [above];
    case 'lt':
    case 'eb':
      return [below];
    case 'ge':
      return [{ from: low, until: undefined }];
    case 'le':
      return [{ from: undefined, until: high }];
    case 'ne':
      return [below, above];
    default:
      return [{ from: low, until: high }];
  }
}
