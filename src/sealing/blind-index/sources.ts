import { SEARCH_PARAMETERS, type SearchParameterDefinition } from '../../fhir/definitions/search-parameters.ts';
import type { SearchParameter } from '../../fhir/search/parameters.ts';

/**
 * Many of R4's parameters only name what others find: `patient` is `subject` where that is a Patient, `combo-code` is
 * `code` or `component-code`. Such a parameter needs no tokens of its own; it is answered by those of its sources. That
 * halves what an Observation writes into the index.
 */
export interface TokenSource {
  /** Code of the parameter whose tokens answer, of the same resource type. */
  readonly code: string;
  /** Only references to this type count. */
  readonly target?: string;
}

/** The sources of a parameter: itself, unless others find the same. */
export type SourcesOf = (parameter: Pick<SearchParameter, 'base' | 'code'>) => readonly TokenSource[];

export function createSources(definitions: readonly SearchParameterDefinition[] = SEARCH_PARAMETERS): SourcesOf {
  const known = new Map<string, ReadonlyMap<string, readonly TokenSource[]>>();
  return ({ base, code }) => {
    let ofType = known.get(base);
    if (ofType === undefined) {
      ofType = sourcesOfType(base, definitions);
      known.set(base, ofType);
    }
    return ofType.get(code) ?? [{ code }];
  };
}

interface Parts {
  readonly code: string;
  readonly type: SearchParameterDefinition['type'];
  /** The alternatives of its expression that apply to the type, as text. */
  readonly parts: readonly string[];
  /** Of a reference: it may take only some of what its expression finds. */
  readonly targets: string;
}

function sourcesOfType(
  type: string,
  definitions: readonly SearchParameterDefinition[],
): ReadonlyMap<string, readonly TokenSource[]> {
  const all = definitions
    .filter(({ base, expression }) => base.includes(type) && expression !== undefined)
    .map(
      (definition): Parts => ({
        code: definition.code,
        type: definition.type,
        parts: partsOf(definition, type),
        targets: [...(definition.target ?? [])].sort().join(),
      }),
    )
    .filter(({ type: kind, parts }) => SHAREABLE.has(kind) && parts.length > 0)
    .sort((a, b) => (a.code < b.code ? -1 : 1));
  const sources = new Map<string, readonly TokenSource[]>();
  for (const parameter of all) {
    const found = narrowed(parameter, all) ?? combined(parameter, all) ?? renamed(parameter, all);
    if (found !== undefined) sources.set(parameter.code, found);
  }
  return new Map([...sources].map(([code, found]) => [code, found.flatMap((source) => settle(source, sources))]));
}

/** A source may itself be another's name: what counts is who has the tokens. */
function settle(source: TokenSource, sources: ReadonlyMap<string, readonly TokenSource[]>): readonly TokenSource[] {
  const further = sources.get(source.code);
  if (further === undefined) return [source];
  return further.flatMap((one) => settle({ ...one, ...(source.target && { target: source.target }) }, sources));
}

/** A composite's parts belong together, so its tokens are its own. */
const SHAREABLE: ReadonlySet<string> = new Set(['token', 'reference', 'string', 'date', 'uri', 'number', 'quantity']);
const RESOLVES_TO = /^(.+)\.where\(resolve\(\) is ([A-Za-z]+)\)$/;

/** `X.where(resolve() is T)` where another parameter is `X`. */
function narrowed({ code, type, parts }: Parts, all: readonly Parts[]): readonly TokenSource[] | undefined {
  const [path, target] = RESOLVES_TO.exec(parts[0] ?? '')?.slice(1) ?? [];
  if (parts.length !== 1 || path === undefined || target === undefined) return undefined;
  const whole = all.find((other) => other.code !== code && other.type === type && isExactly(other, [path]));
  return whole === undefined ? undefined : [{ code: whole.code, target }];
}

/** `X | Y` where other parameters are `X` and `Y`; each of them may have several parts itself. */
function combined({ code, type, parts }: Parts, all: readonly Parts[]): readonly TokenSource[] | undefined {
  if (parts.length < 2) return undefined;
  const within = all
    .filter((other) => other.code !== code && other.type === type && other.parts.length < parts.length)
    .filter((other) => other.parts.every((part) => parts.includes(part)))
    .sort((a, b) => b.parts.length - a.parts.length);
  const covered = new Set<string>();
  const found: TokenSource[] = [];
  for (const other of within) {
    if (other.parts.every((part) => covered.has(part))) continue;
    for (const part of other.parts) covered.add(part);
    found.push({ code: other.code });
  }
  return covered.size === new Set(parts).size ? found : undefined;
}

/** Another parameter, first by its code, is just the same. */
function renamed({ code, type, parts, targets }: Parts, all: readonly Parts[]): readonly TokenSource[] | undefined {
  const first = all.find((other) => other.type === type && other.targets === targets && isExactly(other, parts));
  return first === undefined || first.code === code ? undefined : [{ code: first.code }];
}

function isExactly({ parts }: Parts, wanted: readonly string[]): boolean {
  return parts.length === wanted.length && parts.every((part) => wanted.includes(part));
}

/** R4 writes one expression for many types: `A.x | B.y`. */
function partsOf({ expression = '' }: SearchParameterDefinition, type: string): readonly string[] {
  return topLevelAlternatives(expression).filter((part) => part.startsWith(`${type}.`));
}

function topLevelAlternatives(expression: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= expression.length; at++) {
    const character = expression[at];
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character !== undefined && (character !== '|' || depth > 0)) continue;
    parts.push(expression.slice(start, at).trim());
    start = at + 1;
  }
  return parts.map(withoutParentheses);
}

function withoutParentheses(part: string): string {
  return part.startsWith('(') && part.endsWith(')') ? part.slice(1, -1).trim() : part;
}
