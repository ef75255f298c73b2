import { isResourceType } from '../definitions/definitions.ts';
import type { Criterion, SearchBranch, SearchQuery } from './query/ast.ts';
import { type ControlContext, emptyControl, isControlName, readControl } from './query/control.ts';
import { parseCriterion } from './query/criteria.ts';
import { parameterError, safeName } from './query/errors.ts';
import { splitEscaped, unescapeValue } from './query/escapes.ts';
import { parseFilter } from './query/filter.ts';
import type { SearchRegistry } from './registry.ts';

export type * from './query/ast.ts';

export interface ParseOptions {
  /** `lenient` when the client sent `Prefer: handling=lenient`: unknown parameters are then passed over. */
  readonly handling: 'strict' | 'lenient';
  /** Epoch milliseconds: what `ap` measures a date's distance from. Where undefined, `ap` is refused. */
  readonly now: number | undefined;
}

type Pair = readonly [name: string, value: string];

/** A list of names such as `$current-allergies`, or ids. */
const LIST = /^\$?[A-Za-z0-9\-.]{1,64}$/;

/**
 * Parses a search: the decoded name-value pairs of a URL or form, on a resource type or (undefined) on all. Names may be
 * told in errors, values never.
 *
 * @throws MedSealError `unknown-parameter` (strict handling only), `invalid-parameter`, or `too-costly` for a chain that
 *   branches too much; each with the parameter's name as `expression`
 */
export function parseSearch(
  type: string | undefined,
  pairs: readonly Pair[],
  registry: SearchRegistry,
  options: ParseOptions,
): SearchQuery {
  const ignored = new Set<string>();
  const types = type === undefined ? typesOf(pairs) : [type];
  const context: ControlContext = {
    registry,
    types,
    lenient: options.handling === 'lenient',
    ignore: (name) => ignored.add(safeName(name)),
  };
  const control = emptyControl();
  const seen = new Set<string>();
  const selecting: Pair[] = [];
  for (const [name, value] of pairs) {
    if (isControlName(name)) readControl(control, name, value, seen, context);
    else if (name !== '_type' || type !== undefined) selecting.push([name, value]);
  }
  const branches = types.map((branch) => parseBranch(branch, selecting, context, options.now));
  return { branches, control, ignored: [...ignored] };
}

/** The types of `_type`, or one that stands for any. */
function typesOf(pairs: readonly Pair[]): readonly (string | undefined)[] {
  const given = pairs.filter(([name]) => name === '_type').flatMap(([, value]) => value.split(','));
  if (!given.every(isResourceType)) throw parameterError('_type', 'the value must be a list of resource types');
  return given.length === 0 ? [undefined] : [...new Set(given)];
}

function parseBranch(
  type: string | undefined,
  pairs: readonly Pair[],
  context: ControlContext,
  now: number | undefined,
): SearchBranch {
  const criteria = pairs.flatMap(([name, value]) => {
    const criterion = special(name, value) ?? parseCriterion(context.registry, type, name, value, now);
    if (criterion !== undefined) return [criterion];
    if (!context.lenient) throw parameterError(name, 'it is not known', 'unknown-parameter');
    context.ignore(name);
    return [];
  });
  return { type, criteria };
}

/** Parameters of every type that have no SearchParameter of their own in R4. */
function special(name: string, value: string): Criterion | undefined {
  if (name === '_filter') return { kind: 'filter', filter: parseFilter(value) };
  if (name !== '_list') return undefined;
  const lists = splitEscaped(value, ',').map(unescapeValue);
  if (!lists.every((list) => LIST.test(list))) throw parameterError(name, 'the value must be the id of a List');
  return { kind: 'list', lists };
}
