import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { MedSealError } from '../errors.ts';
import { type JsonValue, parseJson } from '../fhir/json/parse.ts';
import { hasMoreValuesThan } from '../fhir/validation/validate.ts';
import { parseHttpDate, parseVersionTags } from '../interactions/conditions.ts';
import { queryPairs, type SearchPairs } from '../interactions/query-text.ts';
import type { ReadConditions } from '../interactions/read.ts';
import type { VersionMatch } from '../interactions/write/entry.ts';
import type { IdempotentRequest } from '../interactions/write/replay.ts';
import { type Preferences, readPreferences } from './negotiation.ts';

/** An HTTP request as interactions take it. */
export interface FhirInput {
  readonly type: string;
  readonly id: string;
  readonly vid: string;
  /** What of a compartment is asked for: a resource type, or `*`. */
  readonly member: string;
  /** The query string, decoded, in order. */
  readonly pairs: SearchPairs;
  readonly preferences: Preferences;
  /** The body as parsed JSON. @throws MedSealError `malformed-json` and its kin */
  json(): unknown;
  /** The body as form pairs. */
  form(): SearchPairs;
  header(name: string): string | undefined;
  ifMatch(): VersionMatch | undefined;
  readConditions(): ReadConditions;
  idempotent(): IdempotentRequest | undefined;
}

const MAX_RESOURCE_VALUES = 100_000;
/** What is shorter cannot hold more values than one resource may. */
const MODEST_BODY = 2 * MAX_RESOURCE_VALUES;

/** Each value of a resource is validated, and may be indexed by several search parameters: the memory for it adds up. */
function refuseHugeResources(value: JsonValue): void {
  const { type, entry } = (value ?? {}) as { readonly type?: unknown; readonly entry?: unknown };
  const isRequest = (type === 'transaction' || type === 'batch') && Array.isArray(entry);
  const parts = isRequest ? entry.map((one: JsonValue) => (one as { resource?: unknown } | null)?.resource) : [value];
  const huge = parts.findIndex((part) => hasMoreValuesThan(MAX_RESOURCE_VALUES, part));
  if (huge < 0) return;
  const where = isRequest ? { expression: `Bundle.entry[${huge}].resource` } : {};
  throw new MedSealError('too-costly', `A resource has at most ${MAX_RESOURCE_VALUES} values`, where);
}

/** The query string as it was sent, without its `?`. */
export function queryOf(request: FastifyRequest): string {
  return request.raw.url?.split(/\?(.*)/s)[1] ?? '';
}

const MAX_KEY_LENGTH = 255;

export function fhirInput(request: FastifyRequest): FhirInput {
  const { type = '', id = '', vid = '', member = '' } = request.params as Readonly<Record<string, string>>;
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  };
  return {
    type,
    id,
    vid,
    member,
    pairs: queryPairs(queryOf(request)),
    preferences: readPreferences(request.headers),
    json() {
      const value = parseJson(body);
      if (body.length > MODEST_BODY) refuseHugeResources(value);
      return value;
    },
    form: () => queryPairs(body.toString('utf8')),
    header,
    ifMatch() {
      const text = header('if-match');
      return text === undefined ? undefined : parseVersionTags(text, 'If-Match');
    },
    readConditions() {
      const noneMatch = header('if-none-match');
      const since = header('if-modified-since');
      return {
        noneMatch: noneMatch === undefined ? [] : parseVersionTags(noneMatch, 'If-None-Match'),
        modifiedSince: since === undefined ? undefined : parseHttpDate(since),
      };
    },
    idempotent() {
      const key = header('idempotency-key');
      if (key === undefined) return undefined;
      if (key === '' || key.length > MAX_KEY_LENGTH) {
        throw new MedSealError('invalid-parameter', `An Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters`, {
          expression: 'Idempotency-Key',
        });
      }
      return { key, fingerprint: `${request.method} ${request.url}\n${hash('sha256', body, 'base64url')}` };
    },
  };
}
