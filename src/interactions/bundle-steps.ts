import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import { isResourceType } from '../fhir/definitions/definitions.ts';
import { parseJson } from '../fhir/json/parse.ts';
import { applyJsonPatch, parseJsonPatch } from '../fhir/json/patch.ts';
import { expressionOf } from '../fhir/json/path.ts';
import type { RequestContext } from '../request-context.ts';
import { parseVersionTags } from './conditions.ts';
import { queryPairs } from './query-text.ts';
import type { Services } from './services.ts';
import type { Patch, WriteEntry } from './write/entry.ts';

/** One entry as a thing to do. A batch carries an entry's own error to its answer. */
export type Step =
  | { readonly kind: 'write'; readonly entry: WriteEntry }
  | { readonly kind: 'read'; readonly url: EntryUrl; readonly entry: RequestEntry; readonly expression: string }
  | { readonly kind: 'invalid'; readonly error: MedSealError };

interface EntryUrl {
  readonly type: string;
  readonly rest: readonly string[];
  readonly query: string | undefined;
}

/** @throws MedSealError `invalid-bundle`, `too-costly` */
export function checkBundle(value: unknown): { readonly type: Bundle['type']; readonly entry: readonly unknown[] } {
  const { resourceType, type, entry, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (resourceType !== 'Bundle') throw invalidBundle('A Bundle is posted to the base', 'Bundle.resourceType');
  if (type !== 'transaction' && type !== 'batch')
    throw invalidBundle('Bundle.type must be transaction or batch', 'Bundle.type');
  if (entry !== undefined && !Array.isArray(entry)) throw invalidBundle('Bundle.entry must be a list', 'Bundle.entry');
  if ((entry ?? []).length > MAX_ENTRIES)
    throw new MedSealError('too-costly', `A Bundle has at most ${MAX_ENTRIES} entries`);
  const unknown = Object.keys(rest).find((key) => !BUNDLE_MEMBERS.has(key));
  if (unknown !== undefined)
    throw invalidBundle('Bundle has an element that R4 does not know', expressionOf('Bundle', [unknown]));
  return { type, entry: entry ?? [] };
}

const MAX_ENTRIES = 10_000;
const BUNDLE_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'meta',
  'implicitRules',
  'language',
  'identifier',
  'timestamp',
  'total',
  'link',
  'signature',
]);
/** A modifierExtension would change what is asked for, so it is as unknown as any other. */
const ENTRY_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'extension',
  'link',
  'fullUrl',
  '_fullUrl',
  'resource',
  'search',
  'request',
  'response',
]);
const REQUEST_TEXTS = ['method', 'url', 'ifNoneMatch', 'ifModifiedSince', 'ifMatch', 'ifNoneExist'] as const;
const REQUEST_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'extension',
  ...REQUEST_TEXTS,
  ...REQUEST_TEXTS.map((name) => `_${name}`),
]);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']);

/** What is wrong with an entry becomes its step, for a batch to answer. */
export function parseEntry(entry: unknown, index: number, services: Services, context: RequestContext): Step {
  const expression = `Bundle.entry[${index}]`;
  try {
    requireEntry(entry, expression);
    const { method, url } = entry.request;
    const parsed = parseUrl(url, `${expression}.request.url`, services, context);
    if (method === 'GET' || method === 'HEAD') return { kind: 'read', url: parsed, entry, expression };
    return { kind: 'write', entry: writeEntry(method as WriteEntry['method'], parsed, entry, expression) };
  } catch (error) {
    if (error instanceof MedSealError) return { kind: 'invalid', error };
    throw error;
  }
}

type RequestEntry = BundleEntry & Required<Pick<BundleEntry, 'request'>>;

/** The structure of an entry, its resource aside, which is validated by its own type. */
function requireEntry(entry: unknown, expression: string): asserts entry is RequestEntry {
  requireMembers(entry, ENTRY_MEMBERS, expression);
  const { request, fullUrl } = entry;
  if (fullUrl !== undefined && typeof fullUrl !== 'string')
    throw invalidBundle(`${expression}.fullUrl must be text`, `${expression}.fullUrl`);
  if (request === undefined)
    throw invalidBundle(`${expression}.request needs a method and a url`, `${expression}.request`);
  requireMembers(request, REQUEST_MEMBERS, `${expression}.request`);
  const wrong = REQUEST_TEXTS.find((name) => request[name] !== undefined && typeof request[name] !== 'string');
  if (wrong !== undefined)
    throw invalidBundle(`${expression}.request.${wrong} must be text`, `${expression}.request.${wrong}`);
  const { method, url } = request;
  if (url === undefined || !METHODS.has(String(method)))
    throw invalidBundle(`${expression}.request needs a method of HTTP and a url`, `${expression}.request`);
}

function requireMembers(
  value: unknown,
  members: ReadonlySet<string>,
  expression: string,
): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidBundle(`${expression} must be an object`, expression);
  const unknown = Object.keys(value).find((key) => !members.has(key));
  if (unknown !== undefined)
    throw invalidBundle(`${expression} has an element that is not known here`, expressionOf(expression, [unknown]));
}

/** Relative, or absolute within this very base; anything elsewhere is refused, never followed. */
function parseUrl(url: string, expression: string, { publicUrl }: Services, { base }: RequestContext): EntryUrl {
  const own = base.kind === 'institution' ? `${publicUrl}/${base.institution}/fhir/` : '';
  const relative = own !== '' && url.startsWith(own) ? url.slice(own.length) : url.replace(/^\//, '');
  const [path = '', query] = relative.split(/\?(.*)/s);
  const [type = '', ...rest] = path.split('/');
  if (!isResourceType(type)) throw invalidBundle(`${expression} must name a resource type of this base`, expression);
  return { type, rest, query };
}

function writeEntry(method: WriteEntry['method'], url: EntryUrl, entry: RequestEntry, expression: string): WriteEntry {
  const { type, rest, query } = url;
  const addressed = method === 'POST' ? 0 : query === undefined ? 1 : 0;
  if (rest.length !== addressed || (query !== undefined && method === 'POST')) {
    throw invalidBundle(`${expression}.request.url does not fit the method`, `${expression}.request.url`);
  }
  if (method !== 'DELETE' && entry.resource === undefined) {
    throw invalidBundle(`${expression}.resource is needed`, `${expression}.resource`);
  }
  const { ifMatch, ifNoneMatch, ifNoneExist } = entry.request;
  return {
    method,
    type,
    id: rest[0],
    conditional: query === undefined ? undefined : queryPairs(query),
    ifNoneExist: ifNoneExist === undefined ? undefined : queryPairs(ifNoneExist.replace(/^.*\?/, '')),
    ifMatch: ifMatch === undefined ? undefined : parseVersionTags(ifMatch, `${expression}.request.ifMatch`),
    onlyCreate: ifNoneMatch === '*',
    resource: method === 'PATCH' ? undefined : entry.resource,
    patch: method === 'PATCH' ? patchOf(entry, `${expression}.resource`) : undefined,
    newId: randomUUID(),
    fullUrl: entry.fullUrl,
    expression,
  };
}

/** A JSON Patch within a Bundle is a Binary (http://hl7.org/fhir/R4/http.html#patch). */
function patchOf({ resource }: RequestEntry, expression: string): Patch {
  if (resource?.resourceType !== 'Binary' || resource.contentType !== JSON_PATCH || typeof resource.data !== 'string') {
    throw new MedSealError('unsupported-media-type', `A patch here is a Binary of ${JSON_PATCH}`, { expression });
  }
  const operations = parseJsonPatch(parseJson(Buffer.from(resource.data, 'base64')));
  return (content) => applyJsonPatch(content, operations);
}

const JSON_PATCH = 'application/json-patch+json';

export function invalidBundle(message: string, expression: string): MedSealError {
  return new MedSealError('invalid-bundle', message, { expression });
}
