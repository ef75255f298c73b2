import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { MedSealError } from '../errors.ts';
import type { ReturnPreference } from '../interactions/write/single.ts';

const JSON_TYPES: ReadonlySet<string> = new Set(['application/fhir+json', 'application/json']);
const PATCH_TYPES: ReadonlySet<string> = new Set(['application/json-patch+json']);
const FORM_TYPES: ReadonlySet<string> = new Set(['application/x-www-form-urlencoded']);
/** What a body is: a resource, a JSON Patch, the parameters of a search. */
export type BodyKind = 'json' | 'patch' | 'form';

const BODY_TYPES: Readonly<Record<BodyKind, ReadonlySet<string>>> = {
  json: JSON_TYPES,
  patch: PATCH_TYPES,
  form: FORM_TYPES,
};
const ACCEPTABLE: ReadonlySet<string> = new Set([...JSON_TYPES, 'text/json', 'application/*', '*/*']);
const FORMATS: ReadonlySet<string> = new Set([
  'json',
  ...JSON_TYPES,
  'application/fhir json',
  'application/fhir%2Bjson',
]);

/**
 * Only JSON goes in, exactly typed: XML has no parser here, so there is nothing for its attacks to reach.
 * http://hl7.org/fhir/R4/http.html#mime-type
 *
 * @throws MedSealError `unsupported-media-type`
 */
export function requireContentType(header: string | undefined, kind: BodyKind): void {
  const [type = '', ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase());
  const allowed = BODY_TYPES[kind];
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  const isUtf8 = charset === undefined || charset === 'utf-8' || charset === 'utf8';
  if (allowed.has(type) && isUtf8 && isOurVersion(parameters)) return;
  throw new MedSealError('unsupported-media-type', `The body must be ${[...allowed][0]} in UTF-8`);
}

/** `_format` overrides Accept. @throws MedSealError `not-acceptable` */
export function requireAcceptable({ headers, query }: Pick<FastifyRequest, 'headers' | 'query'>): void {
  const { accept } = headers;
  const { _format: given = [] } = (query ?? {}) as { readonly _format?: string | readonly string[] };
  const formats = [given].flat();
  if (formats.length > 0) {
    if (formats.every((format) => FORMATS.has((format.split(';')[0] ?? '').trim().toLowerCase()))) return;
  } else if (accept === undefined || accept.split(',').some(isAcceptable)) return;
  throw new MedSealError('not-acceptable', 'Answers are application/fhir+json only');
}

function isAcceptable(range: string): boolean {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  return ACCEPTABLE.has(type) && !isRefused && isOurVersion(parameters);
}

/** http://hl7.org/fhir/R4/versioning.html#mt-version */
function isOurVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith('fhirversion='));
  return version === undefined || /^fhirversion="?4\.0(\.\d+)?"?$/.test(version);
}

export interface Preferences {
  readonly return: ReturnPreference | undefined;
  readonly handling: 'strict' | 'lenient';
}

/** RFC 7240, with the preferences that R4 defines; unknown ones are ignored, as it says. */
export function readPreferences(headers: IncomingHttpHeaders): Preferences {
  const text = ([] as (string | undefined)[]).concat(headers.prefer).join(',');
  const found = (name: string): string | undefined =>
    new RegExp(`(?:^|[,;\\s])${name}="?([A-Za-z]+)"?`).exec(text)?.[1];
  const preferred = found('return');
  return {
    return:
      preferred === 'minimal' || preferred === 'representation' || preferred === 'OperationOutcome'
        ? preferred
        : undefined,
    handling: found('handling') === 'lenient' ? 'lenient' : 'strict',
  };
}
