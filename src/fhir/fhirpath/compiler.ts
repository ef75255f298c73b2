import { typeDefinition } from '../definitions/definitions.ts';
import type { Expression } from './ast.ts';
import type { Environment, Run } from './environment.ts';
import { FUNCTIONS } from './functions/table.ts';
import { expressionError } from './lexer.ts';
import { type Collection, EMPTY, node, singleton } from './node.ts';
import { BINARY_OPERATORS, negate } from './operators.ts';
import { after, readAll, readByType, readDynamic, readOne } from './steps.ts';
import { isAbstract, isSubtype, type Property, readsOf, type StaticTypes, typeTest } from './types.ts';
import { variable } from './variables.ts';

/** A compiled part of an expression. */
export interface Compiled {
  readonly run: Run;
  /** What the result may hold; `[]` when it is known to be empty for every input. */
  readonly types: StaticTypes;
  /** The result depends on the environment alone, not on the focus. */
  readonly fixed: boolean;
}

const NOTHING: Compiled = { run: () => EMPTY, types: [], fixed: true };

/**
 * Turns an expression into closures. `types` are those of the focus (`$this`).
 *
 * @throws MedSealError `invalid-expression` for unknown functions, types, variables and elements
 */
export function compile(expression: Expression, types: StaticTypes): Compiled {
  switch (expression.kind) {
    case 'empty':
      return NOTHING;
    case 'literal': {
      const { type, value } = expression.literal;
      const result: Collection = [node(value, type)];
      return { run: () => result, types: [type], fixed: true };
    }
    case 'variable':
      return compileVariable(expression.name);
    case 'special':
      return compileSpecial(expression.name, types);
    case 'member':
      return compileMember(expression, types);
    case 'call':
      return compileCall(expression, types);
    case 'type':
      return compileTypeCall(expression.operator, expression.on, expression.type, types);
    case 'indexer':
      return compileIndexer(expression, types);
    case 'negate': {
      const operand = compile(expression.operand, types);
      return { ...operand, run: (focus, env) => negate(operand.run(focus, env)) };
    }
    case 'binary':
      return compileBinary(expression, types);
  }
}

function compileVariable(name: string): Compiled {
  const found = variable(name);
  if (found === undefined) throw expressionError(`Unknown variable "%${name}"`);
  return { ...found, fixed: true };
}

function compileSpecial(name: '$this' | '$index' | '$total', types: StaticTypes): Compiled {
  if (name === '$this') return { run: (focus) => focus, types, fixed: false };
  if (name === '$index') {
    return { run: (_, env) => [node(env.index, 'System.Integer')], types: ['System.Integer'], fixed: false };
  }
  return { run: (_, env) => env.total, types: undefined, fixed: false };
}

type Member = Extract<Expression, { kind: 'member' }>;

/** `accept` narrows the types of a choice, so that the other properties are not even read. */
function compileMember(member: Member, types: StaticTypes, accept?: (type: string) => boolean): Compiled {
  const root = member.on === undefined ? compileTypeName(member.name, types) : undefined;
  if (root !== undefined) return root;
  const on = member.on === undefined ? undefined : compile(member.on, types);
  const input = on === undefined ? types : on.types;
  if (input?.length === 0) return NOTHING;
  const fixed = on?.fixed ?? false;
  // What a primitive holds is in its companion, which only the dynamic step knows of.
  if (input === undefined || input.some((type) => isAbstract(type) || isPrimitive(type))) {
    return { run: after(on?.run, readDynamic(member.name)), types: elementTypes(input, member.name), fixed };
  }
  const reads = readsByType(input, member.name, accept);
  const all = [...reads.values()].flat();
  const [only] = all;
  if (only === undefined) return NOTHING;
  const single = all.length === 1 ? readOne(only) : readAll(all);
  const step = input.length === 1 ? single : readByType(reads);
  return { run: after(on?.run, step), types: [...new Set(all.map((read) => read.type))], fixed };
}

function readsByType(
  input: readonly string[],
  element: string,
  accept: ((type: string) => boolean) | undefined,
): ReadonlyMap<string, readonly Property[]> {
  const reads = new Map<string, readonly Property[]>();
  for (const type of input) {
    const all = readsOf(type, element);
    // Of a resource the declared type says too little.
    if (all !== undefined) reads.set(type, accept ? all.filter((read) => read.resource || accept(read.type)) : all);
  }
  if (reads.size === 0) throw noSuchElement(input, element);
  return reads;
}

/** What an element may hold where only evaluation tells the type; undefined when it might be an unknown subtype's. */
function elementTypes(input: StaticTypes, element: string): StaticTypes {
  if (input === undefined) return undefined;
  const reads = input.map((type) => readsOf(type, element));
  if (input.some((type, i) => isAbstract(type) && reads[i] === undefined)) return undefined;
  if (reads.every((properties) => properties === undefined)) throw noSuchElement(input, element);
  return [...new Set(reads.flatMap((properties) => properties?.map((property) => property.type) ?? []))];
}

function noSuchElement(input: readonly string[], element: string): Error {
  return expressionError(`${input.join(', ')} has no element "${element}"`);
}

/** A name at the start of a path that names a type: the focus, where it is of that type. */
function compileTypeName(name: string, types: StaticTypes): Compiled | undefined {
  const isType = /^[A-Z]/.test(name) && typeDefinition(name) !== undefined;
  if (!isType) return undefined;
  if (types === undefined || types.some(isAbstract)) {
    return { run: (focus) => focus.filter((item) => isSubtype(item.type, name)), types: [name], fixed: false };
  }
  const matching = types.filter((type) => isSubtype(type, name));
  if (matching.length === 0) return NOTHING;
  if (matching.length === types.length) return { run: (focus) => focus, types, fixed: false };
  return { run: (focus) => focus.filter((item) => matching.includes(item.type)), types: matching, fixed: false };
}

function isPrimitive(type: string): boolean {
  return typeDefinition(type)?.kind === 'primitive';
}

type Call = Extract<Expression, { kind: 'call' }>;

function compileCall(call: Call, types: StaticTypes): Compiled {
  const spec = FUNCTIONS.get(call.name);
  if (spec === undefined) throw expressionError(`Unknown function "${call.name}"`);
  const [min, max] = spec.arity;
  if (call.args.length < min || call.args.length > max) {
    throw expressionError(`The function "${call.name}" does not take ${call.args.length} arguments`);
  }
  if (spec.kind === 'unsupported') throw expressionError(`The function "${call.name}" is not supported: ${spec.why}`);
  if (spec.kind === 'type') {
    return compileTypeCall(spec.operator, call.on ?? { kind: 'special', name: '$this' }, typeName(call.args[0]), types);
  }
  const on =
    call.on === undefined ? { run: (focus: Collection) => focus, types, fixed: false } : compile(call.on, types);
  if (spec.kind === 'lambda') {
    const args = call.args.map((arg) => compileOperand(arg, spec.scope === 'unknown' ? undefined : on.types));
    const runs = args.map((arg) => arg.run);
    const result = spec.types(
      on.types,
      args.map((arg) => arg.types),
    );
    return { run: (focus, env) => spec.call(on.run(focus, env), runs, env), types: result, fixed: on.fixed };
  }
  const args = call.args.map((arg) => compileOperand(arg, types));
  const result = spec.types(
    on.types,
    args.map((arg) => arg.types),
  );
  const fixed = on.fixed && args.every((arg) => arg.fixed);
  const run: Run = (focus, env) =>
    spec.call(
      on.run(focus, env),
      args.map((arg) => arg.run(focus, env)),
      env,
    );
  return { run, types: result, fixed };
}

/** The type named by the argument of `is()`, `as()` or `ofType()`. */
function typeName(arg: Expression | undefined): string {
  if (arg?.kind !== 'member') throw expressionError('A type name is needed');
  return arg.on === undefined ? arg.name : `${typeName(arg.on)}.${arg.name}`;
}

/**
 * `as` on several items selects those of the type, as `ofType` does: R4's dom-3 relies on it, and so did R4's search
 * parameters.
 */
function compileTypeCall(operator: 'is' | 'as', target: Expression, name: string, types: StaticTypes): Compiled {
  const { type, matches } = typeTest(name);
  const narrowed = operator === 'as' && target.kind === 'member';
  const on = narrowed ? compileMember(target, types, matches) : compile(target, types);
  if (operator === 'is') {
    const run: Run = (focus, env) => {
      const item = singleton(on.run(focus, env));
      return item === undefined ? EMPTY : [node(matches(item.type), 'System.Boolean')];
    };
    return { run, types: ['System.Boolean'], fixed: on.fixed };
  }
  if (on.types !== undefined && !on.types.some(isAbstract)) {
    const kept = on.types.filter(matches);
    if (kept.length === 0) return NOTHING;
    if (kept.length === on.types.length) return on;
    return { ...on, run: select(on.run, matches), types: kept };
  }
  return { ...on, run: select(on.run, matches), types: [type] };
}

function select(run: Run, matches: (type: string) => boolean): Run {
  return (focus, env) => {
    const input = run(focus, env);
    return input.length === 0 ? EMPTY : input.filter((item) => matches(item.type));
  };
}

function compileIndexer(indexer: Extract<Expression, { kind: 'indexer' }>, types: StaticTypes): Compiled {
  const on = compile(indexer.on, types);
  const index = compile(indexer.index, types);
  const run: Run = (focus, env) => {
    const at = singleton(index.run(focus, env))?.value;
    const item = typeof at === 'number' ? on.run(focus, env)[at] : undefined;
    return item === undefined ? EMPTY : [item];
  };
  return { run, types: on.types, fixed: on.fixed && index.fixed };
}

function compileBinary(binary: Extract<Expression, { kind: 'binary' }>, types: StaticTypes): Compiled {
  const left = compileOperand(binary.left, types);
  const right = compileOperand(binary.right, types);
  const operator = BINARY_OPERATORS[binary.operator];
  const fixed = left.fixed && right.fixed;
  if (binary.operator === '|') {
    // The parts of an expression for several types that do not concern this one cost nothing.
    if (left.types?.length === 0) return right;
    if (right.types?.length === 0) return left;
  }
  const run: Run = (focus, env) => operator.apply(left.run, right.run, focus, env);
  return { run, types: operator.types(left.types, right.types), fixed };
}

/**
 * An operand or argument. What does not depend on the focus is evaluated once per evaluation: R4's dom-3 asks, for each
 * contained resource, for all references of the whole resource.
 */
function compileOperand(expression: Expression, types: StaticTypes): Compiled {
  const compiled = compile(expression, types);
  const isCheap = expression.kind === 'literal' || expression.kind === 'variable' || expression.kind === 'empty';
  if (!compiled.fixed || isCheap) return compiled;
  return { ...compiled, run: (focus, env) => memoised(compiled.run, focus, env) };
}

function memoised(run: Run, focus: Collection, env: Environment): Collection {
  const known = env.fixed.get(run);
  if (known !== undefined) return known;
  const result = run(focus, env);
  env.fixed.set(run, result);
  return result;
}
