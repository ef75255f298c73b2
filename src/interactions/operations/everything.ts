import { DIRECTORY_TYPES } from '../../consent/directory.ts';
import { MAX_PAGE_BYTES, notFound, type PermittedRecord } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { compartmentResourceTypes } from '../../fhir/definitions/compartments.ts';
import { isResourceType } from '../../fhir/definitions/definitions.ts';
import { parseTemporal, utcText } from '../../fhir/fhirpath/temporal.ts';
import { isId, parseReference } from '../../fhir/references/reference.ts';
import { walkReferences } from '../../fhir/references/walk.ts';
import type { Criterion } from '../../repository/criteria.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { RequestContext } from '../../request-context.ts';
import { bundleText } from '../bundle-text.ts';
import { queryText } from '../query-text.ts';
import { parseVersion } from '../read.ts';
import type { InteractionResult } from '../result.ts';
import { institutionOf } from '../search/base.ts';
import type { Cursor } from '../search/cursor.ts';
import { entriesOf, WHOLE } from '../search/entries.ts';
import { pageByChange } from '../search/page-by-change.ts';
import type { SearchPage } from '../search/prepared.ts';
import { compartmentTokens } from '../search/target.ts';
import type { Services } from '../services.ts';
import {
  invalid,
  type OperationParameters,
  type OperationRequest,
  parameterOf,
  readParameters,
  requireKnown,
} from './parameters.ts';

interface Asked {
  /** Only what changed at or after this instant, RFC 3339. */
  readonly since: string | undefined;
  /** undefined: all. */
  readonly types: readonly string[] | undefined;
  readonly count: number;
}

interface EverythingCursor extends Cursor, Asked {
  readonly after: object | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(['_since', '_type', '_count', '_cursor', 'start', 'end']);
/** Pages end by their size too. */
const MAX_COUNT = 1000;

/**
 * http://hl7.org/fhir/R4/patient-operation-everything.html: the Patient, its compartment in order of change, and beside
 * each page what of the directory (Practitioner, Organization, Location, Medication, …) the page refers to.
 */
export async function everything(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  const { id } = request;
  const institution = institutionOf(services, context);
  if (!isId(id)) throw notFound();
  // Whether there is such a patient to read decides, whichever page it is.
  const patient = await services.reader.read(context, 'Patient', id);
  const parameters = readParameters(request);
  requireKnown(parameters, KNOWN);
  const url = `${services.publicUrl}/${institution.name}/fhir/Patient/${id}/$everything`;
  const purpose = `everything ${institution.name}/${id}`;
  const cursor = parameterOf(parameters, '_cursor');
  const resumed = cursor === undefined ? undefined : services.cursors.open<EverythingCursor>(cursor, purpose, context);
  const asked = resumed ?? askedIn(parameters);
  const page = await compartmentPage(services, context, institution, id, asked, resumed?.after);
  const first = resumed === undefined && isAsked(patient, asked) ? [patient] : [];
  const matches = [...first, ...page.records.filter(({ row }) => row.idToken !== patient.row.idToken)];
  const supporting = await supportingRecords(services, context, institution, asked, matches);
  const link = [{ relation: 'self', url: selfUrl(url, parameters) }];
  if (page.next !== undefined) {
    const { since, types, count } = asked;
    const next = services.cursors.seal({ since, types, count, after: page.next }, purpose, context);
    link.push({ relation: 'next', url: `${url}?_cursor=${next}` });
  }
  const entry = await entriesOf(services, WHOLE, matches, supporting);
  return { status: 200, body: bundleText({ type: 'searchset', link, entry }) };
}

function askedIn(parameters: OperationParameters): Asked {
  const period = ['start', 'end'].find((name) => parameterOf(parameters, name) !== undefined);
  if (period !== undefined) {
    throw new MedSealError('search-not-supported', `${period} is not supported; _since and _type are`, {
      expression: period,
    });
  }
  const since = parameterOf(parameters, '_since');
  const types = parameterOf(parameters, '_type')?.split(',');
  if (types?.some((type) => !isResourceType(type))) throw invalid('_type must name resource types', '_type');
  const count = parameterOf(parameters, '_count');
  return {
    since: since === undefined ? undefined : sinceOf(since),
    types,
    count: Math.min(count === undefined ? MAX_COUNT : countOf(count), MAX_COUNT),
  };
}

function sinceOf(text: string): string {
  // A plus sign that was not percent-encoded in the URL arrives as a space.
  const temporal = parseTemporal(text.replace(/ (?=\d\d:\d\d$)/, '+'));
  if (temporal === undefined) throw invalid('_since must be an instant', '_since');
  return utcText(temporal.low);
}

function countOf(text: string): number {
  const count = parseVersion(text);
  if (count === undefined) throw invalid('_count must be a positive whole number', '_count');
  return count;
}

function isAsked({ row }: PermittedRecord, { types, since }: Asked): boolean {
  return (types?.includes(row.type) ?? true) && (since === undefined || row.at >= since);
}

async function compartmentPage(
  services: Services,
  context: RequestContext,
  institution: Institution,
  id: string,
  { since, types, count }: Asked,
  after: object | undefined,
): Promise<SearchPage> {
  const members = compartmentResourceTypes('Patient').filter((type) => types?.includes(type) ?? true);
  const patient = services.names.idToken(services.names.name(institution.name, 'Patient', id));
  const tokens = compartmentTokens(services, 'Patient', members, [patient]);
  if (tokens.length === 0) return { records: [], next: undefined };
  const of: Criterion[] = [{ kind: 'some', tokens }];
  if (since !== undefined) of.push({ kind: 'changed', from: since, until: undefined });
  const plan = { type: undefined, institution: institution.id, criterion: { kind: 'all', of } } as const;
  const search = services.reader.search(context, 'Patient');
  const page = await pageByChange({ search, plans: [plan], decide: undefined, sort: [], count }, after);
  for (const record of page.records) search.shown(record);
  return page;
}

/** What of the directory a page refers to, each once for the page. */
async function supportingRecords(
  services: Services,
  context: RequestContext,
  institution: Institution,
  asked: Asked,
  matches: readonly PermittedRecord[],
): Promise<readonly PermittedRecord[]> {
  const idTokens = new Set<string>();
  for (const { resource } of matches) {
    if (resource === undefined) continue;
    walkReferences(resource, ({ kind, text }) => {
      const reference = kind === 'reference' ? parseReference(text) : undefined;
      if (reference?.kind !== 'relative' || !DIRECTORY_TYPES.has(reference.type)) return;
      if (asked.types?.includes(reference.type) ?? true)
        idTokens.add(services.names.locate(reference, institution.name));
    });
  }
  if (idTokens.size === 0) return [];
  const search = services.reader.search(context, 'Patient');
  const criterion: Criterion = { kind: 'ids', idTokens: [...idTokens] };
  const plan = { type: undefined, institution: undefined, criterion };
  const rows = await search.page(plan, { limit: MAX_COUNT, descending: false, beyond: undefined });
  const records: PermittedRecord[] = [];
  let room = MAX_PAGE_BYTES;
  for (const row of rows) {
    const record = room < 0 ? undefined : await search.open(row);
    if (record === undefined || !isAsked(record, asked)) continue;
    search.shown(record);
    records.push(record);
    room -= record.content?.length ?? 0;
  }
  return records;
}

function selfUrl(url: string, { pairs }: OperationParameters): string {
  const text = queryText(pairs);
  return text === '' ? url : `${url}?${text}`;
}
