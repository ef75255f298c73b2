import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { MedSealError } from '../errors.ts';
import { operationOutcome } from '../interactions/operation-outcome.ts';
import type { InteractionResult } from '../interactions/result.ts';

export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/** http://hl7.org/fhir/R4/http.html#mime-type, #versions; nothing of a record may stay in a cache. */
export function sendResult(reply: FastifyReply, result: InteractionResult, baseUrl: string): FastifyReply {
  reply.status(result.status).header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff');
  if (result.version !== undefined) reply.header('ETag', `W/"${result.version}"`);
  if (result.lastModified !== undefined) reply.header('Last-Modified', new Date(result.lastModified).toUTCString());
  if (result.location !== undefined && result.status !== 304) {
    reply.header(result.status === 201 ? 'Location' : 'Content-Location', `${baseUrl}/${result.location}`);
  }
  if (result.body !== undefined) reply.header('Content-Type', FHIR_JSON);
  reply.headers({ ...result.headers });
  // Empty text would be told as text/plain.
  return reply.send(result.body);
}

/** JSON lines, each as soon as it is there; whoever hangs up ends them. */
export function sendLines(reply: FastifyReply, lines: AsyncIterable<object>): FastifyReply {
  return reply
    .headers({ 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' })
    .send(Readable.from(asText(lines)));
}

async function* asText(lines: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}

export function errorResult(error: MedSealError): InteractionResult {
  const retry = RETRY_AFTER[error.code];
  return {
    status: error.status,
    body: JSON.stringify(operationOutcome(error)),
    ...(retry === undefined ? {} : { headers: { 'Retry-After': retry } }),
  };
}

/** Seconds after which trying again makes sense. */
const RETRY_AFTER: Readonly<Record<string, string>> = {
  'not-yet-anchored': '2',
  'storage-unavailable': '2',
  'storage-full': '30',
  'ledger-unavailable': '5',
  'rate-limited': '1',
  'timed-out': '1',
  fenced: '30',
};

/** Whatever was thrown, as one of ours. What is not ours is internal, and its text stays in the log. */
export function asMedSealError(error: unknown): MedSealError {
  if (error instanceof MedSealError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = FASTIFY_ERRORS[String(code)];
  if (known !== undefined) return new MedSealError(known[0], known[1], { cause: error });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new MedSealError('invalid-parameter', 'The request is not acceptable', { cause: error });
  }
  return new MedSealError('internal', 'Something went wrong on our side; it has been logged', { cause: error });
}

const FASTIFY_ERRORS: Readonly<Record<string, readonly [ConstructorParameters<typeof MedSealError>[0], string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'The body is larger than this server accepts'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'The body must be application/fhir+json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-json', 'The body is empty'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-json', 'The body is not as long as Content-Length says'],
  FST_ERR_MAX_PARAM_LENGTH: ['uri-too-long', 'A segment of the path is longer than anything here is named'],
  FST_ERR_BAD_URL: ['invalid-parameter', 'The URL is not well-formed'],
};
