import type { Environment, Run } from '../environment.ts';
import { distinct, keyOf } from '../equality.ts';
import { expressionError } from '../lexer.ts';
import { type Collection, EMPTY, type Node, numberOf, singleton, truth } from '../node.ts';
import { union } from '../operators.ts';
import { asArgument, asBoth, asInput, eager, type FunctionTable, forEachItem, lambda, unknownTypes } from './spec.ts';

function where(input: Collection, [criteria]: readonly Run[], env: Environment): Collection {
  if (input.length === 0 || criteria === undefined) return EMPTY;
  const kept: Node[] = [];
  forEachItem(input, criteria, env, (result, item) => {
    if (truth(result) === true) kept.push(item);
    return true;
  });
  return kept;
}

function select(input: Collection, [projection]: readonly Run[], env: Environment): Collection {
  if (input.length === 0 || projection === undefined) return EMPTY;
  const results: Node[] = [];
  forEachItem(input, projection, env, (result) => {
    for (const item of result) results.push(item);
    return true;
  });
  return results;
}

/** A projection such as `$this + 1` yields something new for ever. */
const MAX_REPEATED = 100_000;

/** Projects again and again whatever the projection yields, each item once. */
function repeat(input: Collection, args: readonly Run[], env: Environment): Collection {
  const seen = new Set<string>();
  const results: Node[] = [];
  let level = select(input, args, env);
  while (level.length > 0) {
    const fresh = distinct(level).filter((item) => !seen.has(keyOf(item)));
    for (const item of fresh) seen.add(keyOf(item));
    for (const item of fresh) results.push(item);
    if (results.length > MAX_REPEATED) throw expressionError('repeat() yields too many items');
    level = select(fresh, args, env);
  }
  return results;
}

function aggregate(input: Collection, [step, initial]: readonly Run[], env: Environment): Collection {
  if (step === undefined) return EMPTY;
  const outer = env.total;
  env.total = initial?.(input, env) ?? EMPTY;
  forEachItem(input, step, env, (result) => {
    env.total = result;
    return true;
  });
  const total = env.total;
  env.total = outer;
  return total;
}

function count(args: readonly Collection[]): number {
  return numberOf(singleton(args[0] ?? EMPTY)) ?? 0;
}

/** The items of `input` whose presence in `other` is as wanted. */
function among(input: Collection, other: Collection, wanted: boolean): Collection {
  const keys = new Set(other.map(keyOf));
  return input.filter((item) => keys.has(keyOf(item)) === wanted);
}

/** https://hl7.org/fhirpath/N1/#filtering-and-projection, #subsetting, #combining */
export const SELECTION: FunctionTable = [
  ['where', lambda(1, asInput, where)],
  ['select', lambda(1, asArgument, select)],
  ['repeat', lambda(1, unknownTypes, repeat, 'unknown')],
  ['aggregate', lambda([1, 2], unknownTypes, aggregate)],
  [
    'iif',
    lambda(
      [2, 3],
      (_, [, yes, no]) => (yes && no ? [...new Set([...yes, ...no])] : undefined),
      (input, [criterion, yes, no], env) => {
        const chosen = criterion !== undefined && truth(criterion(input, env)) === true ? yes : no;
        return chosen?.(input, env) ?? EMPTY;
      },
    ),
  ],
  ['single', eager(0, asInput, (input) => (singleton(input) === undefined ? EMPTY : input))],
  ['first', eager(0, asInput, (input) => input.slice(0, 1))],
  ['last', eager(0, asInput, (input) => input.slice(-1))],
  ['tail', eager(0, asInput, (input) => input.slice(1))],
  ['skip', eager(1, asInput, (input, args) => input.slice(Math.max(0, count(args))))],
  ['take', eager(1, asInput, (input, args) => input.slice(0, Math.max(0, count(args))))],
  ['intersect', eager(1, asInput, (input, [other = EMPTY]) => distinct(among(input, other, true)))],
  ['exclude', eager(1, asInput, (input, [other = EMPTY]) => among(input, other, false))],
  ['union', eager(1, asBoth, (input, [other = EMPTY]) => union(input, other))],
  ['combine', eager(1, asBoth, (input, [other = EMPTY]) => [...input, ...other])],
];
