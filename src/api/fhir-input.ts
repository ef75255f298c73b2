import type { FastifyRequest } from 'fastify';
import { MedSealError } from '../errors.ts';
import { parseJson } from '../fhir/json/parse.ts';
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

const MAX_KEY_LENGTH = 255;

export function fhirInput(request: FastifyRequest): FhirInput {
  const { type = '', id = '', vid = '' } = request.params as Readonly<Record<string, string>>;
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  const query = request.raw.url?.split(/\?(.*)/s)[1] ?? '';
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  };
  return {
    type,
    id,
    vid,
    pairs: queryPairs(query),
    preferences: readPreferences(request.headers),
    json: () => parseJson(body),
    form: () => queryPairs(body.toString('utf8')),
    header,
    ifMatch() {
      const text = header('if-match');
      return text === undefined ? undefined : parseVersionTags(text, 'If-Match');
    },
    readConditions() {
      const noneMatch = header('if-none-match');
      const since = header('if-modified-since');
      const tags = noneMatch === undefined ? [] : parseVersionTags(noneMatch, 'If-None-Match');
      return {
        noneMatch: tags === '*' ? [] : tags,
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
      return { key, fingerprint: `${request.method} ${request.url}\n${body.toString('base64')}` };
    },
  };
}
