import { typeDefinition } from '../definitions/definitions.ts';
import type { SearchParameterDefinition } from '../definitions/search-parameters.ts';
import { compileExpression, type Expression, parseExpression } from '../fhirpath/fhirpath.ts';

/**
 * The types that a reference parameter may lead to from resources of `base`; none given means any. R4's `target` is
 * told for all of a parameter's types together: `patient` of an Observation cannot lead to a Group, as its `target`
 * says, which another type needs.
 */
export function targetsOf({ expression, target = [] }: SearchParameterDefinition, base: string): readonly string[] {
  const found = expression === undefined ? undefined : expressionTargets(parseExpression(expression), base);
  if (found === undefined || found.includes('Resource')) return target;
  const both = target.filter((type) => found.includes(type));
  return target.length === 0 ? found : both;
}

/** What the references that an expression yields may lead to; undefined when that is not to be seen. */
function expressionTargets(expression: Expression, base: string): readonly string[] | undefined {
  if (expression.kind === 'binary' && expression.operator === '|') {
    const [left, right] = [expressionTargets(expression.left, base), expressionTargets(expression.right, base)];
    return left && right ? [...new Set([...left, ...right])] : undefined;
  }
  if (compileExpression(expression, base).types?.length === 0) return [];
  if (expression.kind === 'member' && expression.on !== undefined) {
    return elementTargets(compileExpression(expression.on, base).types, expression.name);
  }
  if (expression.kind !== 'call' || expression.on === undefined) return undefined;
  if (expression.name !== 'where')
    return expression.name === 'ofType' ? expressionTargets(expression.on, base) : undefined;
  const [criterion] = expression.args;
  const isTypeFilter = criterion?.kind === 'type' && criterion.operator === 'is' && criterion.on.kind === 'call';
  return isTypeFilter && criterion.on.name === 'resolve' ? [criterion.type] : expressionTargets(expression.on, base);
}

function elementTargets(types: readonly string[] | undefined, element: string): readonly string[] | undefined {
  const found = types?.map((type) => typeDefinition(type)?.elements.get(element)?.targets);
  return found?.every((targets) => targets !== undefined) ? [...new Set(found.flat())] : undefined;
}
