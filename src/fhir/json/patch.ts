import { MedSealError } from '../../errors.ts';
import { decimalOf } from './decimals.ts';
import type { JsonValue } from './parse.ts';

/** One operation of a JSON Patch (RFC 6902); `from` and `value` as the operation needs them. */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: JsonValue;
}

const OPERATIONS: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);
const WITH_VALUE: ReadonlySet<unknown> = new Set(['add', 'replace', 'test']);
const WITH_FROM: ReadonlySet<unknown> = new Set(['move', 'copy']);
const MAX_OPERATIONS = 1000;
/** A copy of a copy doubles what is there: all copies together have at most so many values. */
const MAX_COPIED_VALUES = 100_000;

/** @throws MedSealError `invalid-patch` for what is no JSON Patch, with the operation's place as `expression` */
export function parseJsonPatch(patch: unknown): readonly PatchOperation[] {
  if (!Array.isArray(patch)) throw invalid('A JSON Patch is a list of operations', 'JsonPatch');
  if (patch.length > MAX_OPERATIONS)
    throw invalid(`A JSON Patch has at most ${MAX_OPERATIONS} operations here`, 'JsonPatch');
  return patch.map((operation: unknown, index) => parseOperation(operation, `JsonPatch[${index}]`));
}

function parseOperation(operation: unknown, place: string): PatchOperation {
  if (!isObject(operation)) throw invalid('An operation is an object', place);
  const { op, path, from, value } = operation as Readonly<Record<string, JsonValue>>;
  if (!OPERATIONS.has(op)) throw invalid('op must be add, remove, replace, move, copy or test', `${place}.op`);
  if (WITH_VALUE.has(op) && value === undefined) throw invalid('The operation needs a value', `${place}.value`);
  return {
    op: op as PatchOperation['op'],
    path: pointerOf(path, `${place}.path`),
    from: WITH_FROM.has(op) ? pointerOf(from, `${place}.from`) : [],
    value: value ?? null,
  };
}

/** RFC 6901 */
function pointerOf(text: unknown, place: string): readonly string[] {
  if (typeof text !== 'string' || !/^(?:\/(?:[^~/]|~[01])*)*$/s.test(text))
    throw invalid('A JSON Pointer is needed, such as /name/0/family', place);
  return text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * Applies the operations in their order to a document that parseJson made; numbers keep their written form. The document
 * is changed in place, and what is left of it after an error is to be thrown away.
 *
 * @returns the patched document, which is another one where the patch replaces the whole
 * @throws MedSealError `patch-failed` where a place is not there or a test does not hold
 */
export function applyJsonPatch(document: JsonValue, operations: readonly PatchOperation[]): JsonValue {
  const holder = { root: document };
  const copied = { values: 0 };
  for (const [index, operation] of operations.entries()) applyOperation(holder, operation, copied, index);
  return holder.root;
}

interface Holder {
  root: JsonValue;
}

function applyOperation(
  holder: Holder,
  { op, path, from, value }: PatchOperation,
  copied: { values: number },
  index: number,
): void {
  const fail = (why: string, member: string): never => failed(why, `JsonPatch[${index}].${member}`);
  const target = (): Place => placeAt(holder, path, (why) => fail(why, 'path'));
  const source = (): Place => placeAt(holder, from, (why) => fail(why, 'from'));
  if (op === 'add') target().add(copyOf(value, copied));
  else if (op === 'remove') target().remove();
  else if (op === 'replace') target().replace(copyOf(value, copied));
  else if (op === 'copy') target().add(copyOf(source().get(), copied));
  else if (op === 'move') {
    if (isInside(path, from)) fail('Nothing can be moved into itself', 'path');
    const moved = source().remove();
    target().add(moved);
  } else if (!isEqual(target().get(), value)) fail('The test does not hold', 'value');
}

function isInside(path: readonly string[], outer: readonly string[]): boolean {
  return path.length > outer.length && outer.every((part, depth) => part === path[depth]);
}

/** A place in the document: what is there, or may be put there. */
interface Place {
  get(): JsonValue;
  add(value: JsonValue): void;
  replace(value: JsonValue): void;
  remove(): JsonValue;
}

function placeAt(holder: Holder, pointer: readonly string[], fail: (why: string) => never): Place {
  const name = pointer.at(-1);
  if (name === undefined) return rootOf(holder, fail);
  let parent = holder.root;
  for (const step of pointer.slice(0, -1)) parent = child(parent, step, fail);
  if (Array.isArray(parent)) return itemOf(parent, name, fail);
  return isObject(parent) ? memberOf(parent, name, fail) : fail(NOT_THERE);
}

const NOT_THERE = 'There is nothing at this place';
/** None of these is an element of FHIR; assigned, they would change what an object is. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

function child(parent: JsonValue, step: string, fail: (why: string) => never): JsonValue {
  if (Array.isArray(parent)) return itemOf(parent, step, fail).get();
  return isObject(parent) ? memberOf(parent, step, fail).get() : fail(NOT_THERE);
}

function rootOf(holder: Holder, fail: (why: string) => never): Place {
  const put = (value: JsonValue): void => {
    holder.root = value;
  };
  return { get: () => holder.root, add: put, replace: put, remove: () => fail('The whole cannot be removed') };
}

function memberOf(parent: Record<string, JsonValue>, name: string, fail: (why: string) => never): Place {
  if (FORBIDDEN.has(name)) return fail(NOT_THERE);
  const get = (): JsonValue => (Object.hasOwn(parent, name) ? (parent[name] as JsonValue) : fail(NOT_THERE));
  const add = (value: JsonValue): void => {
    parent[name] = value;
  };
  return {
    get,
    add,
    replace(value) {
      get();
      add(value);
    },
    remove() {
      const value = get();
      delete parent[name];
      return value;
    },
  };
}

function itemOf(parent: JsonValue[], name: string, fail: (why: string) => never): Place {
  const index = name === '-' ? parent.length : /^(?:0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : Number.NaN;
  const existing = (): number => (index < parent.length ? index : fail(NOT_THERE));
  return {
    get: () => parent[existing()] as JsonValue,
    add: (value) => void parent.splice(index <= parent.length ? index : fail(NOT_THERE), 0, value),
    replace: (value) => void parent.splice(existing(), 1, value),
    remove: () => parent.splice(existing(), 1)[0] as JsonValue,
  };
}

/** The patch may be applied again, and what it put in is changed later: each time with values of its own. */
function copyOf(value: JsonValue, copied: { values: number }): JsonValue {
  copied.values += 1;
  if (copied.values > MAX_COPIED_VALUES) throw new MedSealError('too-costly', 'The patch makes too many values');
  if (Array.isArray(value)) return value.map((item) => copyOf(item, copied));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member, copied)]));
}

/** RFC 6902 §4.6: numbers by their value, objects whatever the order of their members. */
function isEqual(left: JsonValue, right: JsonValue): boolean {
  const [a, b] = [decimalOf(left), decimalOf(right)];
  if (a !== undefined || b !== undefined) return a === b;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isEqual(item, right[index] as JsonValue));
  }
  if (!isObject(left) || !isObject(right)) return left === right;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isEqual(left[name] as JsonValue, right[name] as JsonValue))
  );
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

function invalid(message: string, expression: string): MedSealError {
  return new MedSealError('invalid-patch', message, { expression });
}

function failed(message: string, expression: string): never {
  throw new MedSealError('patch-failed', message, { expression });
}
