/**
 * SMART scopes, v1 and v2: parsing, writing, and what a request for scopes is granted.
 * https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 *
 * A scope that is malformed or names an unknown resource type is nothing at all: it is dropped and never read as a
 * wider one.
 */
import { RESOURCE_TYPES } from '../fhir/definitions/resource-types.ts';
import type { Scope, ScopeAction } from '../request-context.ts';

/** The one scope of an administrator's client; it covers no clinical content. */
export const ADMINISTRATION = 'admin';

const ACTIONS: readonly ScopeAction[] = ['c', 'r', 'u', 'd', 's'];
const V1_ACTIONS: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };
const KNOWN_TYPES: ReadonlySet<string> = new Set(['*', ...RESOURCE_TYPES]);

const SHAPE = /^(patient|user|system)\/([A-Za-z]+|\*)\.(?:(read|write|\*)|(c?r?u?d?s?)(?:\?(.+))?)$/;
/** Plain search parameters only: a modifier or a chain asks for more than one resource can answer. */
const PARAMETER_NAME = /^_?[a-z][A-Za-z0-9-]*$/;
/** What RFC 6749, section 3.3 lets a scope hold, less what would end a parameter or start an escape. */
const TO_ESCAPE = /[^!$'()*,\-./0-9:;<=>?@A-Z[\]^_`a-z{|}~]/gu;
const LONGEST = 1000;

/** One scope, or undefined when it is malformed, of an unknown type, or not a resource scope (`openid`). */
export function parseScope(text: string): Scope | undefined {
  const found = text.length > LONGEST ? null : SHAPE.exec(text);
  if (found === null) return undefined;
  const [, context, type = '', v1, v2, query] = found;
  const letters = v1 === undefined ? v2 : V1_ACTIONS[v1];
  const restriction = parseRestriction(query);
  if (!letters || restriction === undefined || !isContext(context) || !KNOWN_TYPES.has(type)) return undefined;
  return { context, type, actions: new Set(ACTIONS.filter((action) => letters.includes(action))), restriction };
}

function isContext(text: string | undefined): text is Scope['context'] {
  return text === 'patient' || text === 'user' || text === 'system';
}

function parseRestriction(query: string | undefined): Scope['restriction'] | undefined {
  const pairs: [name: string, value: string][] = [];
  for (const part of query === undefined ? [] : query.split('&')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, equals);
    const value = decode(part.slice(equals + 1)) || undefined;
    if (equals < 1 || !PARAMETER_NAME.test(name) || !value?.isWellFormed()) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A broken percent escape: the caller drops the whole scope.
    return undefined;
  }
}

/** The scopes of a space-separated list (RFC 6749, section 3.3), without those that `parseScope` does not know. */
export function parseScopes(text: string): Scope[] {
  return text
    .split(' ')
    .map(parseScope)
    .filter((scope) => scope !== undefined);
}

/** The v2 form of a scope. */
export function formatScope(scope: Scope): string {
  const letters = ACTIONS.filter((action) => scope.actions.has(action)).join('');
  const query = scope.restriction.map(([name, value]) => `${name}=${value.replace(TO_ESCAPE, encodeURIComponent)}`);
  return `${scope.context}/${scope.type}.${letters}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/**
 * Whether some scope lets `action` be done with resources of `type`, at least with some of them: a granular scope
 * covers its type, and what it is restricted to is decided per resource.
 */
export function covers(scopes: readonly Scope[], type: string, action: ScopeAction): boolean {
  return scopes.some((scope) => (scope.type === '*' || scope.type === type) && scope.actions.has(action));
}

/**
 * The scopes that were both requested and registered: a registered wildcard grants narrower requests, a requested
 * wildcard is narrowed to what is registered, and restrictions of both sides hold. No result is part of another.
 */
export function intersect(requested: readonly Scope[], registered: readonly Scope[]): Scope[] {
  const common = requested.flatMap((asked) => registered.map((allowed) => meet(asked, allowed)));
  return withoutParts(common.filter((scope) => scope !== undefined));
}

function meet(a: Scope, b: Scope): Scope | undefined {
  const type = a.type === '*' ? b.type : a.type;
  const actions = a.actions.intersection(b.actions);
  if (a.context !== b.context || (b.type !== '*' && b.type !== type) || actions.size === 0) return undefined;
  const added = b.restriction.filter((pair) => !restricts(a, pair));
  return { context: a.context, type, actions, restriction: [...a.restriction, ...added] };
}

function restricts(scope: Scope, [name, value]: readonly [string, string]): boolean {
  return scope.restriction.some((pair) => pair[0] === name && pair[1] === value);
}

/** Whether everything that `part` allows is allowed by `whole`. */
function includes(whole: Scope, part: Scope): boolean {
  return (
    whole.context === part.context &&
    (whole.type === '*' || whole.type === part.type) &&
    part.actions.isSubsetOf(whole.actions) &&
    whole.restriction.every((pair) => restricts(part, pair))
  );
}

/** Keeps the first of equal scopes. */
function withoutParts(scopes: readonly Scope[]): Scope[] {
  return scopes.filter(
    (scope, at) =>
      !scopes.some((other, i) => i !== at && includes(other, scope) && (i < at || !includes(scope, other))),
  );
}

/**
 * The `scope` of a token response (RFC 6749, section 5.1) for a requested list, '' when nothing of it is granted.
 * What is granted as it was requested keeps the client's own spelling, so that a v1 client recognises it.
 */
export function grantScope(requested: string, registered: readonly Scope[]): string {
  const spelling = new Map<string, string>();
  for (const text of requested.split(' ')) {
    const scope = parseScope(text);
    if (scope !== undefined && !spelling.has(formatScope(scope))) spelling.set(formatScope(scope), text);
  }
  return intersect(parseScopes(requested), registered)
    .map(formatScope)
    .map((text) => spelling.get(text) ?? text)
    .join(' ');
}
