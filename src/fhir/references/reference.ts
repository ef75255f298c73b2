import { isResourceType, type ResourceType } from '../definitions/definitions.ts';

/**
 * What a literal reference says (http://hl7.org/fhir/R4/references.html#literal), without asking whether its target is
 * there. A canonical is only ever made by `parseCanonical`, since it looks like any other URL.
 */
export type ParsedReference =
  | { readonly kind: 'relative'; readonly type: ResourceType; readonly id: string; readonly version?: string }
  /** `base` is without the trailing slash. */
  | {
      readonly kind: 'absolute';
      readonly base: string;
      readonly type: ResourceType;
      readonly id: string;
      readonly version?: string;
    }
  /** `urn:uuid:` or `urn:oid:`, lower case up to the second colon. */
  | { readonly kind: 'urn'; readonly urn: string }
  /** A contained resource; `''` for the container itself. */
  | { readonly kind: 'fragment'; readonly id: string }
  /** `Patient?identifier=…`: only to be resolved within a transaction. */
  | { readonly kind: 'conditional'; readonly type: ResourceType; readonly query: string }
  | { readonly kind: 'canonical'; readonly url: string; readonly version?: string; readonly fragment?: string }
  /** Any other absolute URI. */
  | { readonly kind: 'uri'; readonly uri: string };

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const UUID = /^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/;
const OID = /^[0-2](?:\.(?:0|[1-9]\d*))+$/;

/** Whether `text` has the form of a resource's logical id (http://hl7.org/fhir/R4/datatypes.html#id). */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Whether `text` is a UUID, of either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Parses `Reference.reference`; undefined when it is none of the forms of `ParsedReference`. */
export function parseReference(text: string): ParsedReference | undefined {
  const first = text.charCodeAt(0);
  // Upper case: a relative reference, by far the most frequent.
  if (first >= 65 && first <= 90) return parseRelative(text) ?? parseConditional(text) ?? parseUri(text);
  if (first === 35) return parseFragment(text);
  return parseUri(text);
}

/** Parses a canonical: `url|version#fragment`, each of the last two optional. */
export function parseCanonical(text: string): ParsedReference {
  const hash = text.indexOf('#');
  const beforeHash = hash < 0 ? text : text.slice(0, hash);
  const bar = beforeHash.indexOf('|');
  return {
    kind: 'canonical',
    url: bar < 0 ? beforeHash : beforeHash.slice(0, bar),
    ...(bar < 0 ? {} : { version: beforeHash.slice(bar + 1) }),
    ...(hash < 0 ? {} : { fragment: text.slice(hash + 1) }),
  };
}

/** The written form of a parsed reference. */
export function formatReference(reference: ParsedReference): string {
  switch (reference.kind) {
    case 'relative':
      return `${reference.type}/${reference.id}${versionSuffix(reference.version)}`;
    case 'absolute':
      return `${reference.base}/${reference.type}/${reference.id}${versionSuffix(reference.version)}`;
    case 'urn':
      return reference.urn;
    case 'fragment':
      return `#${reference.id}`;
    case 'conditional':
      return `${reference.type}?${reference.query}`;
    case 'canonical': {
      const version = reference.version === undefined ? '' : `|${reference.version}`;
      return `${reference.url}${version}${reference.fragment === undefined ? '' : `#${reference.fragment}`}`;
    }
    case 'uri':
      return reference.uri;
  }
}

function versionSuffix(version: string | undefined): string {
  return version === undefined ? '' : `/_history/${version}`;
}

/** `Type/id` or `Type/id/_history/version`. */
function parseRelative(text: string): Extract<ParsedReference, { kind: 'relative' }> | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const type = text.slice(0, slash);
  if (!isResourceType(type)) return undefined;
  const next = text.indexOf('/', slash + 1);
  const id = next < 0 ? text.slice(slash + 1) : text.slice(slash + 1, next);
  if (!isId(id)) return undefined;
  if (next < 0) return { kind: 'relative', type, id };
  const version = text.startsWith('/_history/', next) ? text.slice(next + 10) : '';
  return isId(version) ? { kind: 'relative', type, id, version } : undefined;
}

function parseConditional(text: string): ParsedReference | undefined {
  const mark = text.indexOf('?');
  const type = text.slice(0, Math.max(0, mark));
  return isResourceType(type) && mark + 1 < text.length
    ? { kind: 'conditional', type, query: text.slice(mark + 1) }
    : undefined;
}

/** An id within a container may be any string, but R4 gives it the form of an id. */
function parseFragment(text: string): ParsedReference | undefined {
  const id = text.slice(1);
  return id === '' || isId(id) ? { kind: 'fragment', id } : undefined;
}

function parseUri(text: string): ParsedReference | undefined {
  const start = text.slice(0, 9).toLowerCase();
  if (start === 'urn:uuid:') return parseUrn(start, text.slice(9), UUID);
  if (start.startsWith('urn:oid:')) return parseUrn('urn:oid:', text.slice(8), OID);
  if (!SCHEME.test(text) || /\s/.test(text)) return undefined;
  return start.startsWith('http') ? parseRest(text) : { kind: 'uri', uri: text };
}

function parseUrn(start: string, rest: string, form: RegExp): ParsedReference | undefined {
  return form.test(rest) ? { kind: 'urn', urn: start + rest } : undefined;
}

/** An http(s) URL that ends as a FHIR server's resource URLs do, or any other URL. */
function parseRest(text: string): ParsedReference {
  const match = /^(https?:\/\/[^?#]*[^/?#])\/([A-Z][A-Za-z]+\/[^/?#]+(?:\/_history\/[^/?#]+)?)$/i.exec(text);
  const relative = match === null ? undefined : parseRelative(match[2] ?? '');
  if (match === null || relative === undefined) return { kind: 'uri', uri: text };
  return { ...relative, kind: 'absolute', base: match[1] ?? '' };
}
