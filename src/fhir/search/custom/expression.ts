import type { Expression } from '../../fhirpath/fhirpath.ts';

/**
 * The functions that select elements, as R4's own search parameters do. All go down into the resource, so that what an
 * expression costs is bounded by the size of the resource: no recursion, no regular expressions, no way back to the root.
 */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'where',
  'exists',
  'empty',
  'not',
  'first',
  'last',
  'ofType',
  'as',
  'is',
  'resolve',
  'extension',
  'hasValue',
]);

/** The first part of an expression that search parameters may not have, as it is told; undefined when there is none. */
export function refusedPart(expression: Expression): string | undefined {
  if (expression.kind === 'variable') return `%${expression.name}`;
  if (expression.kind === 'call' && !FUNCTIONS.has(expression.name)) return `${expression.name}()`;
  for (const part of partsOf(expression)) {
    const refused = refusedPart(part);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'member':
      return expression.on === undefined ? [] : [expression.on];
    case 'call':
      return [...(expression.on === undefined ? [] : [expression.on]), ...expression.args];
    case 'indexer':
      return [expression.on, expression.index];
    case 'negate':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'type':
      return [expression.on];
    default:
      return [];
  }
}
