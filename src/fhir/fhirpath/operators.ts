import type { BinaryOperator } from './ast.ts';
import type { Environment, Run } from './environment.ts';
import { compare, distinct, equal, equivalent, keyOf, quantityOf } from './equality.ts';
import { expressionError } from './lexer.ts';
import { booleans, type Collection, EMPTY, node, numberOf, singleton, strings, textOf, truth } from './node.ts';
import { shiftTemporal } from './temporal-arithmetic.ts';
import { type StaticTypes, systemTypeOf } from './types.ts';

export interface OperatorSpec {
  /** Runs of the operands, so that `and`, `or` and `implies` need not evaluate both. */
  readonly apply: (left: Run, right: Run, focus: Collection, env: Environment) => Collection;
  readonly types: (left: StaticTypes, right: StaticTypes) => StaticTypes;
}

/** All binary operators (https://hl7.org/fhirpath/N1/#operations). */
export const BINARY_OPERATORS: Readonly<Record<BinaryOperator, OperatorSpec>> = {
  '=': relation(equal),
  '!=': relation((left, right) => not(equal(left, right))),
  '~': relation(equivalent),
  '!~': relation((left, right) => !equivalent(left, right)),
  '<': comparison((order) => order < 0),
  '<=': comparison((order) => order <= 0),
  '>': comparison((order) => order > 0),
  '>=': comparison((order) => order >= 0),
  in: relation(membership),
  contains: relation((left, right) => membership(right, left)),
  and: logic(false, (left, right) => (left === undefined || right === undefined ? undefined : left && right)),
  or: logic(true, (left, right) => (left === undefined || right === undefined ? undefined : left || right)),
  implies: {
    apply: (left, right, focus, env) => booleans(implies(truth(left(focus, env)), () => truth(right(focus, env)))),
    types: () => ['System.Boolean'],
  },
  xor: relation((left, right) => {
    const [a, b] = [truth(left), truth(right)];
    return a === undefined || b === undefined ? undefined : a !== b;
  }),
  '|': {
    apply: (left, right, focus, env) => union(left(focus, env), right(focus, env)),
    types: (left, right) => (left && right ? [...new Set([...left, ...right])] : undefined),
  },
  '&': {
    apply: (left, right, focus, env) => strings((textOf(left(focus, env)) ?? '') + (textOf(right(focus, env)) ?? '')),
    types: () => ['System.String'],
  },
  '+': arithmetic(add),
  '-': arithmetic(subtract),
  '*': arithmetic(numeric((a, b) => a * b)),
  '/': arithmetic(numeric((a, b) => (b === 0 ? undefined : a / b), 'System.Decimal')),
  div: arithmetic(numeric((a, b) => (b === 0 ? undefined : Math.trunc(a / b)), 'System.Integer')),
  mod: arithmetic(numeric((a, b) => (b === 0 ? undefined : a % b))),
};

/** Unary minus. */
export function negate(operand: Collection): Collection {
  const item = singleton(operand);
  if (item === undefined) return EMPTY;
  const number = numberOf(item);
  if (number !== undefined) return [node(-number, item.type)];
  const quantity = quantityOf(item);
  if (quantity === undefined) throw expressionError('Only a number or a quantity can be negated');
  return [node({ value: -quantity.value, code: quantity.unit }, 'System.Quantity')];
}

/** Both collections without duplicates (https://hl7.org/fhirpath/N1/#unionother-collection). */
export function union(left: Collection, right: Collection): Collection {
  if (right.length === 0) return distinct(left);
  return distinct(left.length === 0 ? right : [...left, ...right]);
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function relation(decide: (left: Collection, right: Collection) => boolean | undefined): OperatorSpec {
  return {
    apply: (left, right, focus, env) => booleans(decide(left(focus, env), right(focus, env))),
    types: () => ['System.Boolean'],
  };
}

/** `and` and `or`: one operand that is `decisive` decides alone, even when the other is empty. */
function logic(
  decisive: boolean,
  combine: (left: boolean | undefined, right: boolean | undefined) => boolean | undefined,
): OperatorSpec {
  return {
    apply: (left, right, focus, env) => {
      const first = truth(left(focus, env));
      if (first === decisive) return booleans(decisive);
      const second = truth(right(focus, env));
      return booleans(second === decisive ? decisive : combine(first, second));
    },
    types: () => ['System.Boolean'],
  };
}

function implies(premise: boolean | undefined, conclusion: () => boolean | undefined): boolean | undefined {
  if (premise === false) return true;
  const outcome = conclusion();
  return outcome === true || premise === true ? outcome : undefined;
}

function comparison(accept: (order: number) => boolean): OperatorSpec {
  return relation((left, right) => {
    const [a, b] = [singleton(left), singleton(right)];
    if (a === undefined || b === undefined) return undefined;
    const result = compare(a, b, accept);
    if (result === null) throw expressionError('Values of these types cannot be compared');
    return result;
  });
}

/** Whether the one item on the left is among those on the right (https://hl7.org/fhirpath/N1/#in-membership). */
function membership(left: Collection, right: Collection): boolean | undefined {
  const item = singleton(left);
  if (item === undefined) return undefined;
  const key = keyOf(item);
  return right.some((other) => keyOf(other) === key);
}

function arithmetic(combine: (left: Collection, right: Collection) => Collection): OperatorSpec {
  return {
    apply: (left, right, focus, env) => combine(left(focus, env), right(focus, env)),
    types: () => undefined,
  };
}

/** A function of two numbers; empty when either is, or when the result is undefined or not finite. */
function numeric(combine: (a: number, b: number) => number | undefined, type?: string) {
  return (left: Collection, right: Collection): Collection => {
    const [a, b] = [singleton(left), singleton(right)];
    if (a === undefined || b === undefined) return EMPTY;
    const [x, y] = [numberOf(a), numberOf(b)];
    if (x === undefined || y === undefined) throw expressionError('A number is needed');
    const result = combine(x, y);
    if (result === undefined || !Number.isFinite(result)) return EMPTY;
    const isInteger = systemTypeOf(a.type) === 'Integer' && systemTypeOf(b.type) === 'Integer';
    // Fifteen digits are exact in a double; what is beyond them is noise such as 0.1 + 0.2 has.
    const rounded = Number(result.toPrecision(15));
    return [node(rounded, type ?? (isInteger ? 'System.Integer' : 'System.Decimal'))];
  };
}

function add(left: Collection, right: Collection): Collection {
  const [a, b] = [singleton(left), singleton(right)];
  if (a === undefined || b === undefined) return EMPTY;
  if (systemTypeOf(a.type) === 'String') {
    const [head, tail] = [textOf(left), textOf(right)];
    return head === undefined || tail === undefined ? EMPTY : strings(head + tail);
  }
  return shift(left, right, 1) ?? numeric((x, y) => x + y)(left, right);
}

function subtract(left: Collection, right: Collection): Collection {
  return shift(left, right, -1) ?? numeric((x, y) => x - y)(left, right);
}

/** A date or time moved by a quantity, or the sum of two quantities; undefined when the right side is none. */
function shift(left: Collection, right: Collection, sign: 1 | -1): Collection | undefined {
  const [a, b] = [singleton(left), singleton(right)];
  if (a === undefined || b === undefined || systemTypeOf(b.type) !== 'Quantity') return undefined;
  const amount = quantityOf(b);
  if (amount === undefined) return EMPTY;
  const base = quantityOf(a);
  if (base !== undefined) {
    if (base.unit !== amount.unit) return EMPTY;
    return [node({ value: base.value + sign * amount.value, code: base.unit }, 'System.Quantity')];
  }
  const moved = typeof a.value === 'string' ? shiftTemporal(a.value, sign * amount.value, amount.unit) : undefined;
  return moved === undefined ? EMPTY : [node(moved, a.type)];
}
