/**
 * FHIRPath (https://hl7.org/fhirpath/N1/) with FHIR R4's additions (http://hl7.org/fhir/R4/fhirpath.html), compiled to
 * closures. Nothing is read from outside: `resolve()` tells what the reference itself tells.
 */
import type { Expression } from './ast.ts';
import { compile } from './compiler.ts';
import { Environment } from './environment.ts';
import { type Collection, type Node, node, resourceNode, truth } from './node.ts';
import { parseExpression } from './parser.ts';
import type { StaticTypes } from './types.ts';

export interface CompiledExpression {
  /** Types that results can have; undefined when only evaluation tells. */
  readonly types: StaticTypes;
  /**
   * All results, in order. Expressions on the same node may share an environment.
   *
   * @throws MedSealError `invalid-expression` when one item is needed and there are several, or for operands of types
   *   that do not fit
   */
  evaluate(context: Node, environment?: Environment): Collection;
  /**
   * The result as a criterion; undefined when it is empty, which an invariant takes as satisfied. Throws as `evaluate`
   * does.
   */
  test(context: Node, environment?: Environment): boolean | undefined;
}

/**
 * Compiles an expression for contexts of a type such as `Observation`, `Observation.component` or `Quantity`; of
 * several types where a choice element is the context.
 *
 * @throws MedSealError `invalid-expression` when it is not FHIRPath, names an element that its type does not have, or
 *   uses what is not supported here, such as `memberOf`
 */
export function compileExpression(source: string | Expression, ...contextTypes: readonly string[]): CompiledExpression {
  const { run, types } = compile(typeof source === 'string' ? parseExpression(source) : source, contextTypes);
  const evaluate = (context: Node, environment = new Environment(context)) => {
    return run(environment.context[0] === context ? environment.context : [context], environment);
  };
  return { types, evaluate, test: (context, environment) => truth(evaluate(context, environment)) };
}

export { Environment, type Expression, type Node, node, parseExpression, resourceNode };
