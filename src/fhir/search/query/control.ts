import { isResourceType } from '../../definitions/definitions.ts';
import { parseTemporal } from '../../fhirpath/temporal.ts';
import type { SearchRegistry } from '../registry.ts';
import type { Include, SearchControl, SortKey } from './ast.ts';
import { parameterError } from './errors.ts';
import { findParameter } from './find.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is built while the parameters are read. */
export type ControlDraft = Mutable<SearchControl> & { include: Include[]; revinclude: Include[]; sort: SortKey[] };

export function emptyControl(): ControlDraft {
  return { sort: [], include: [], revinclude: [] };
}

/** What a result parameter is read with. `types` are those searched; undefined for any. */
export interface ControlContext {
  readonly registry: SearchRegistry;
  readonly types: readonly (string | undefined)[];
  readonly lenient: boolean;
  readonly ignore: (name: string) => void;
}

type Reader = (draft: ControlDraft, value: string, context: ControlContext) => void;

/** Result parameters (http://hl7.org/fhir/R4/search.html#return) and those of history; each may stand once. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['_sort', readSort],
  [
    '_count',
    (draft, value) => {
      draft.count = wholeNumber('_count', value);
    },
  ],
  [
    '_total',
    (draft, value) => {
      draft.total = oneOf('_total', value, ['none', 'estimate', 'accurate']);
    },
  ],
  [
    '_summary',
    (draft, value) => {
      draft.summary = oneOf('_summary', value, ['true', 'text', 'data', 'count', 'false']);
    },
  ],
  [
    '_elements',
    (draft, value) => {
      draft.elements = elementNames(value);
    },
  ],
  [
    '_contained',
    (draft, value) => {
      draft.contained = oneOf('_contained', value, ['true', 'false', 'both']);
    },
  ],
  [
    '_containedType',
    (draft, value) => {
      draft.containedType = oneOf('_containedType', value, ['container', 'contained']);
    },
  ],
  [
    '_format',
    (draft, value) => {
      draft.format = notEmpty('_format', value);
    },
  ],
  [
    '_pretty',
    (draft, value) => {
      draft.pretty = oneOf('_pretty', value, ['true', 'false']) === 'true';
    },
  ],
  [
    '_since',
    (draft, value) => {
      draft.since = interval('_since', value).low;
    },
  ],
  [
    '_at',
    (draft, value) => {
      draft.at = interval('_at', value);
    },
  ],
  [
    '_cursor',
    (draft, value) => {
      draft.cursor = notEmpty('_cursor', value);
    },
  ],
]);

/** `_include` and `_revinclude`, and with `:iterate`, may stand several times. */
const INCLUDES: ReadonlyMap<string, Reader> = new Map<string, Reader>(
  (['_include', '_revinclude'] as const).flatMap((name) =>
    [false, true].map((iterate): [string, Reader] => [
      iterate ? `${name}:iterate` : name,
      (draft, value, context) => {
        const list = name === '_include' ? draft.include : draft.revinclude;
        list.push(include(name, value, context, iterate));
      },
    ]),
  ),
);

/** Whether `name` shapes the result rather than selecting resources. */
export function isControlName(name: string): boolean {
  return READERS.has(name) || INCLUDES.has(name);
}

/**
 * Reads one result parameter into `draft`; `seen` holds the names read so far.
 *
 * @throws MedSealError `invalid-parameter`; `unknown-parameter` for a `_sort` by what is no search parameter
 */
export function readControl(
  draft: ControlDraft,
  name: string,
  value: string,
  seen: Set<string>,
  context: ControlContext,
): void {
  const read = READERS.get(name);
  if (read !== undefined && seen.has(name)) throw parameterError(name, 'it may be given once');
  seen.add(name);
  (read ?? INCLUDES.get(name))?.(draft, value, context);
}

function readSort(draft: ControlDraft, value: string, context: ControlContext): void {
  for (const key of value.split(',')) {
    const descending = key.startsWith('-');
    const code = descending ? key.slice(1) : key;
    const isKnown = (type = 'Resource') => findParameter(context.registry, type, code) !== undefined;
    if (code === '_score' || (code !== '' && context.types.every(isKnown))) draft.sort.push({ code, descending });
    else if (context.lenient) context.ignore('_sort');
    else throw parameterError('_sort', 'it names what is no search parameter of the type', 'unknown-parameter');
  }
}

/** `Observation:patient`, `Observation:patient:Patient`, `Observation:*` or `*`. */
function include(name: string, value: string, { registry }: ControlContext, iterate: boolean): Include {
  if (value === '*') return { source: undefined, parameter: undefined, target: undefined, iterate };
  const [source = '', code = '', target, ...rest] = value.split(':');
  if (!isResourceType(source) || rest.length > 0 || (target !== undefined && !isResourceType(target))) {
    throw parameterError(name, 'the value must be Type:parameter or Type:parameter:Type');
  }
  const parameter = findParameter(registry, source, code);
  if (code !== '*' && parameter?.type !== 'reference') {
    throw parameterError(name, 'the value does not name a reference parameter of the type');
  }
  return { source, parameter, target, iterate };
}

function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw parameterError(name, 'the value must be a whole number');
  return Number(value);
}

function oneOf<const T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((choice) => choice === value);
  if (found === undefined) throw parameterError(name, `the value must be one of ${allowed.join(', ')}`);
  return found;
}

function elementNames(value: string): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (!names.every((name) => /^[A-Za-z][\w.]*$/.test(name))) {
    throw parameterError('_elements', 'the value must be a list of element names');
  }
  return names;
}

function notEmpty(name: string, value: string): string {
  if (value === '') throw parameterError(name, 'the value is empty');
  return value;
}

function interval(name: string, value: string): { low: number; high: number } {
  // A plus sign that was not percent-encoded in the URL arrives as a space.
  const temporal = parseTemporal(value.replace(/ (?=\d\d:\d\d$)/, '+'));
  if (temporal === undefined) throw parameterError(name, 'the value is no valid date or time');
  return { low: temporal.low, high: temporal.high };
}
