import { MedSealError } from '../../errors.ts';

/** A concept: code, display, and the concepts below it. */
export type Concept = readonly [code: string, display: string, below?: readonly Concept[]];

export interface CodeSystemContent {
  readonly id: string;
  readonly version?: string;
  /** Whether all of its codes are here. */
  readonly complete: boolean;
  readonly concepts: readonly Concept[];
}

/** What of ValueSet.compose decides which codes are in it. */
export interface Composition {
  readonly include: readonly Inclusion[];
  readonly exclude?: readonly Inclusion[];
}

export interface Inclusion {
  readonly system?: string;
  readonly concept?: readonly { readonly code: string; readonly display?: string }[];
  readonly filter?: readonly { readonly property: string; readonly op: string; readonly value: string }[];
  readonly valueSet?: readonly string[];
}

/** A packaged value set. */
export interface ValueSetContent extends Composition {
  readonly id: string;
  readonly version?: string;
  readonly status: string;
}

/** Where code systems and value sets come from, by URL without version. */
export interface Terminology {
  codeSystem(url: string): CodeSystemContent | undefined;
  valueSet(url: string): Composition | undefined;
}

export interface ExpandedCode {
  readonly system: string;
  readonly code: string;
  readonly display: string | undefined;
}

const MAX_DEPTH = 10;

/**
 * Every code of a value set (http://hl7.org/fhir/R4/valueset.html#expansion), each once, in the order of its definition.
 *
 * @throws MedSealError `terminology-not-available` where that takes a code system, or a filter, that is not here
 */
export function expand(terminology: Terminology, compose: Composition, depth = 0): readonly ExpandedCode[] {
  if (depth > MAX_DEPTH) throw unavailable('The value set includes others without an end');
  const found = new Map<string, ExpandedCode>();
  for (const one of compose.include) for (const code of included(terminology, one, depth)) found.set(keyOf(code), code);
  for (const one of compose.exclude ?? [])
    for (const code of included(terminology, one, depth)) found.delete(keyOf(code));
  return [...found.values()];
}

export function keyOf({ system, code }: Pick<ExpandedCode, 'system' | 'code'>): string {
  return `${system}|${code}`;
}

/** What an inclusion names of a system is narrowed down by each value set that it names. */
function included(terminology: Terminology, inclusion: Inclusion, depth: number): readonly ExpandedCode[] {
  const { system, valueSet = [] } = inclusion;
  const sets = valueSet.map((url) => {
    const compose = terminology.valueSet(withoutVersion(url));
    if (compose === undefined) throw unavailable('A value set that this one includes is not packaged here');
    return expand(terminology, compose, depth + 1);
  });
  const ofSystem = system === undefined ? undefined : codesOf(terminology, system, inclusion);
  const [first = [], ...others] = ofSystem === undefined ? sets : [ofSystem, ...sets];
  const keys = others.map((set) => new Set(set.map(keyOf)));
  return first.filter((code) => keys.every((set) => set.has(keyOf(code))));
}

function codesOf(
  terminology: Terminology,
  system: string,
  { concept, filter = [] }: Inclusion,
): readonly ExpandedCode[] {
  const content = terminology.codeSystem(withoutVersion(system));
  if (concept !== undefined) {
    const displays = content === undefined ? new Map<string, string>() : displaysOf(content);
    return concept.map(({ code, display }) => ({ system, code, display: display ?? displays.get(code) }));
  }
  if (content?.complete !== true) throw unavailable('A code system that is needed is not packaged here');
  const all = flatten(content.concepts, []);
  return all
    .filter((placed) => filter.every((one) => passes(one, placed)))
    .map(({ code, display }) => ({ system, code, display }));
}

interface Placed {
  readonly code: string;
  readonly display: string;
  /** Codes above it, the nearest last. */
  readonly above: readonly string[];
}

function flatten(concepts: readonly Concept[], above: readonly string[]): readonly Placed[] {
  return concepts.flatMap(([code, display, below = []]): readonly Placed[] => [
    { code, display, above },
    ...flatten(below, [...above, code]),
  ]);
}

/** Codes and displays of a code system, those below others included. */
export function displaysOf({ concepts }: CodeSystemContent): ReadonlyMap<string, string> {
  return new Map(flatten(concepts, []).map(({ code, display }) => [code, display]));
}

function passes({ property, op, value }: NonNullable<Inclusion['filter']>[number], { code, above }: Placed): boolean {
  if (property === 'concept' && op === 'is-a') return code === value || above.includes(value);
  if (property === 'concept' && op === 'descendent-of') return above.includes(value);
  if (property === 'concept' && op === 'is-not-a') return code !== value && !above.includes(value);
  if (property === 'parent' && op === '=') return above.at(-1) === value;
  throw unavailable('The value set has a filter that is not supported here');
}

export function withoutVersion(canonical: string): string {
  return canonical.split('|')[0] ?? '';
}

function unavailable(message: string): MedSealError {
  return new MedSealError('terminology-not-available', message);
}
