import type { Environment, Run } from '../environment.ts';
import type { Collection } from '../node.ts';
import type { StaticTypes } from '../types.ts';

/** From the types of the input and of the arguments to those of the result. */
type ResultTypes = (input: StaticTypes, args: readonly StaticTypes[]) => StaticTypes;
type Arity = readonly [min: number, max: number];

/** A FHIRPath function, as the compiler calls it. */
export type FunctionSpec =
  /** Arguments are values, evaluated once on the focus. */
  | {
      readonly kind: 'eager';
      readonly arity: Arity;
      readonly types: ResultTypes;
      readonly call: (input: Collection, args: readonly Collection[], env: Environment) => Collection;
    }
  /**
   * Arguments are expressions that the function evaluates on items of its input. `unknown` scope: what they are
   * evaluated on has other types than the input.
   */
  | {
      readonly kind: 'lambda';
      readonly arity: Arity;
      readonly scope: 'input' | 'unknown';
      readonly types: ResultTypes;
      readonly call: (input: Collection, args: readonly Run[], env: Environment) => Collection;
    }
  /** The argument is the name of a type. */
  | { readonly kind: 'type'; readonly arity: Arity; readonly operator: 'is' | 'as' }
  /** Part of FHIRPath or FHIR, but not to be had here. */
  | { readonly kind: 'unsupported'; readonly arity: Arity; readonly why: string };

export type FunctionTable = readonly (readonly [name: string, FunctionSpec])[];

export const asInput: ResultTypes = (input) => input;
export const asArgument: ResultTypes = (_, [argument]) => argument;
export const unknownTypes: ResultTypes = () => undefined;
export const asBoolean: ResultTypes = () => ['System.Boolean'];
export const asString: ResultTypes = () => ['System.String'];
export const asInteger: ResultTypes = () => ['System.Integer'];

/** Items of both the input and the first argument. */
export const asBoth: ResultTypes = (input, [argument]) =>
  input && argument ? [...new Set([...input, ...argument])] : undefined;

/** Defines a function of values. `arity` is one number, or the least and the most. */
export function eager(
  arity: number | Arity,
  types: ResultTypes,
  call: (input: Collection, args: readonly Collection[], env: Environment) => Collection,
): FunctionSpec {
  return { kind: 'eager', arity: typeof arity === 'number' ? [arity, arity] : arity, types, call };
}

/** Defines a function that evaluates its arguments on items of its input. */
export function lambda(
  arity: number | Arity,
  types: ResultTypes,
  call: (input: Collection, args: readonly Run[], env: Environment) => Collection,
  scope: 'input' | 'unknown' = 'input',
): FunctionSpec {
  return { kind: 'lambda', arity: typeof arity === 'number' ? [arity, arity] : arity, scope, types, call };
}

/** Runs `visit` for each item, with its result and `$index` set meanwhile. Stops when `visit` returns false. */
export function forEachItem(
  input: Collection,
  run: Run,
  env: Environment,
  visit: (result: Collection, item: Collection[number]) => boolean | undefined,
): void {
  const outer = env.index;
  for (const [index, item] of input.entries()) {
    env.index = index;
    if (visit(run([item], env), item) === false) break;
  }
  env.index = outer;
}
