import { MAX_PAGE_BYTES, notFound, type PermittedRecord } from '../consent/guarded-reader.ts';
import { MedSealError } from '../errors.ts';
import { parseTemporal, type Temporal, utcText } from '../fhir/fhirpath/temporal.ts';
import { isId } from '../fhir/references/reference.ts';
import { parameterError } from '../fhir/search/query/errors.ts';
import type { HistoryPlan } from '../repository/permitted.ts';
import type { RequestContext } from '../request-context.ts';
import { bundleText } from './bundle-text.ts';
import { queryText, type SearchPairs } from './query-text.ts';
import { parseVersion } from './read.ts';
import type { InteractionResult } from './result.ts';
import { institutionOf } from './search/base.ts';
import type { Cursor } from './search/cursor.ts';
import type { Services } from './services.ts';

export interface HistoryRequest extends HistoryParameters {
  readonly type: string | undefined;
  readonly id: string | undefined;
}

interface HistoryParameters {
  readonly count: number | undefined;
  /** RFC 3339. */
  readonly since: string | undefined;
  readonly during: HistoryPlan['during'];
  /** The parameters as they were understood, for `self`. */
  readonly query: SearchPairs;
  readonly cursor: string | undefined;
}

interface HistoryCursor extends Cursor {
  readonly before: string;
  readonly count: number;
  readonly since: string | undefined;
  readonly during: HistoryPlan['during'];
}

const DEFAULT_COUNT = 50;
const MAX_COUNT = 1000;
const METHODS = { create: 'POST', update: 'PUT', delete: 'DELETE' } as const;
const STATUSES = { create: '201', update: '200', delete: '204' } as const;

const PARAMETERS: ReadonlySet<string> = new Set(['_count', '_since', '_at', '_cursor', '_format', '_pretty']);

/** @throws MedSealError `invalid-parameter`; `unknown-parameter` (strict handling only) */
export function parseHistory(pairs: SearchPairs, handling: 'strict' | 'lenient'): HistoryParameters {
  const unknown = pairs.find(([name]) => !PARAMETERS.has(name))?.[0];
  if (unknown !== undefined && handling === 'strict') {
    throw parameterError(unknown, 'a history does not have it', 'unknown-parameter');
  }
  const parameter = (name: string) => pairs.find(([key]) => key === name)?.[1];
  return {
    count: countOf(parameter('_count')),
    since: sinceOf(parameter('_since')),
    during: duringOf(parameter('_at')),
    query: pairs.filter(([name]) => PARAMETERS.has(name)),
    cursor: parameter('_cursor'),
  };
}

function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = parseVersion(text);
  if (count !== undefined) return count;
  throw parameterError('_count', 'the value must be a positive whole number');
}

function sinceOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const temporal = temporalOf(text);
  if (temporal !== undefined) return utcText(temporal.low);
  throw parameterError('_since', 'the value must be an instant');
}

/** A moment, or a whole day, month or year. */
function duringOf(text: string | undefined): HistoryPlan['during'] {
  if (text === undefined) return undefined;
  const temporal = temporalOf(text);
  if (temporal !== undefined) return { from: utcText(temporal.low), until: utcText(temporal.high) };
  throw parameterError('_at', 'the value must be a dateTime');
}

/** A plus sign that was not percent-encoded in the URL arrives as a space. */
function temporalOf(text: string): Temporal | undefined {
  return parseTemporal(text.replace(/ (?=\d\d:\d\d$)/, '+'));
}

/** http://hl7.org/fhir/R4/http.html#history, newest first, of one resource, a type, or a whole base. */
export async function history(
  services: Pick<Services, 'reader' | 'names' | 'institutions' | 'cursors' | 'publicUrl'>,
  context: RequestContext,
  request: HistoryRequest,
): Promise<InteractionResult> {
  const { type, id } = request;
  const institution = institutionOf(services, context);
  if (id !== undefined && !isId(id)) throw notFound();
  const path = [type, id].filter((part) => part !== undefined).join('/');
  const purpose = `history ${institution.name}/${path}`;
  const position =
    request.cursor === undefined ? undefined : services.cursors.open<HistoryCursor>(request.cursor, purpose, context);
  const count = position?.count ?? Math.min(request.count ?? DEFAULT_COUNT, MAX_COUNT);
  const { since, during } = position ?? request;
  const plan = {
    institution: institution.id,
    type,
    idToken:
      type === undefined || id === undefined
        ? undefined
        : services.names.idToken(services.names.name(institution.name, type, id)),
    since,
    during,
    before: position === undefined ? undefined : BigInt(position.before),
    limit: count + 1,
  };
  const found = await services.reader.history(context, plan, type);
  if (id !== undefined && found.length === 0 && position === undefined && since === undefined && during === undefined)
    throw notFound();
  const records = found.slice(0, count);
  const base = `${services.publicUrl}/${institution.name}/fhir`;
  const url = [base, path, '_history'].filter((part) => part !== '').join('/');
  const last = records.at(-1);
  const query = queryText(request.query);
  const link = [{ relation: 'self', url: query === '' ? url : `${url}?${query}` }];
  const isFull = found.reduce((bytes, { content }) => bytes + (content?.length ?? 0), 0) > MAX_PAGE_BYTES;
  if ((found.length > count || isFull) && last !== undefined) {
    const next = { before: last.row.versionId.toString(), count, since, during } satisfies Omit<
      HistoryCursor,
      'purpose'
    >;
    link.push({ relation: 'next', url: `${url}?_cursor=${services.cursors.seal(next, purpose, context)}` });
  }
  return { status: 200, body: bundleText({ type: 'history', link, entry: records.map((one) => entryOf(one, base)) }) };
}

function entryOf({ row, id, content }: PermittedRecord, base: string) {
  const path = `${row.type}/${id}`;
  if (content === undefined && row.interaction !== 'delete')
    throw new MedSealError('internal', 'A version has no content');
  return {
    fullUrl: `${base}/${path}`,
    ...(content === undefined ? {} : { resource: content }),
    members: {
      request: { method: METHODS[row.interaction], url: row.interaction === 'create' ? row.type : path },
      response: { status: STATUSES[row.interaction], etag: `W/"${row.version}"`, lastModified: row.at },
    },
  };
}
