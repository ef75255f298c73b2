import { isResourceType } from '../definitions/definitions.ts';
import { decimalOf } from '../json/decimals.ts';
import { expressionError } from './lexer.ts';
import { type Property, propertiesOf, readsOf, systemTypeOf } from './types.ts';

/** One item of a collection: a plain JSON value with its type. */
export interface Node {
  /** Undefined for a primitive that only has extensions, and for what `resolve()` cannot read. */
  readonly value: unknown;
  /** A FHIR type such as `Observation.component`, or a FHIRPath one such as `System.Boolean`. */
  readonly type: string;
  /** The `_name` object of a primitive: its id and extensions. */
  readonly companion: unknown;
}

export type Collection = readonly Node[];

export const EMPTY: Collection = [];
export const TRUE: Collection = [node(true, 'System.Boolean')];
export const FALSE: Collection = [node(false, 'System.Boolean')];

type JsonObject = Readonly<Record<string, unknown>>;

export function node(value: unknown, type: string, companion?: unknown): Node {
  return { value, type, companion };
}

/** The node of a whole resource; one of unknown type has the elements of every resource. */
export function resourceNode(resource: object): Node {
  const type = 'resourceType' in resource ? resource.resourceType : undefined;
  return node(resource, typeof type === 'string' && isResourceType(type) ? type : 'Resource');
}

export function booleans(value: boolean | undefined): Collection {
  if (value === undefined) return EMPTY;
  return value ? TRUE : FALSE;
}

export function strings(value: string | undefined): Collection {
  return value === undefined ? EMPTY : [node(value, 'System.String')];
}

export function integers(value: number | undefined): Collection {
  return value === undefined ? EMPTY : [node(value, 'System.Integer')];
}

/** The only item, or undefined of an empty collection. */
export function singleton(collection: Collection): Node | undefined {
  if (collection.length > 1) throw expressionError('A single item is needed where there are several');
  return collection[0];
}

/** What a collection means as a criterion (https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections). */
export function truth(collection: Collection): boolean | undefined {
  const item = singleton(collection);
  if (item === undefined) return undefined;
  if (typeof item.value === 'boolean') return item.value;
  return systemTypeOf(item.type) === 'Boolean' ? undefined : true;
}

/** The text of a String item; undefined when there is none, or it is of another type. */
export function textOf(collection: Collection): string | undefined {
  const item = singleton(collection);
  return typeof item?.value === 'string' ? item.value : undefined;
}

/** The value of a number item, whichever way the decimal is written; undefined when it is none. */
export function numberOf(item: Node | undefined): number | undefined {
  const system = item === undefined ? undefined : systemTypeOf(item.type);
  return system === 'Integer' || system === 'Decimal' ? decimalOf(item?.value) : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/**
 * Appends the items of one JSON property of `parent`. `out` is created when the first item is there, so that absent
 * elements, most of them, cost no allocation.
 */
export function readProperty(parent: Node, property: Property, out: Node[] | undefined): Node[] | undefined {
  const object = isObject(parent.value) ? parent.value : undefined;
  const raw = object?.[property.name];
  const companion = property.primitive ? object?.[property.companion] : undefined;
  if (raw === undefined && companion === undefined) return out;
  const items = out ?? [];
  if (!Array.isArray(raw) && !Array.isArray(companion)) items.push(itemNode(property, raw, companion));
  else readArray(property, arrayOf(raw), arrayOf(companion), items);
  return items;
}

function arrayOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

/** Repeating primitives may have null where only the other of value and companion is present. */
function readArray(property: Property, raw: readonly unknown[], companions: readonly unknown[], out: Node[]): void {
  const length = Math.max(raw.length, companions.length);
  for (let i = 0; i < length; i += 1) out.push(itemNode(property, raw[i] ?? undefined, companions[i] ?? undefined));
}

function itemNode(property: Property, raw: unknown, companion: unknown): Node {
  if (property.resource && isObject(raw)) return resourceNode(raw);
  return node(raw, property.type, companion);
}

/** The items of an element, whose property is looked up by the type that the parent has at run time. */
export function readElement(parent: Node, element: string, out: Node[] | undefined): Node[] | undefined {
  // A primitive's own elements are in its companion.
  const holder = parent.companion === undefined ? parent : node(parent.companion, parent.type);
  let items = out;
  for (const property of readsOf(parent.type, element) ?? []) items = readProperty(holder, property, items);
  return items;
}

/** Appends all direct children of a node (https://hl7.org/fhirpath/N1/#children-collection). */
export function readChildren(parent: Node, out: Node[]): void {
  const object = parent.companion ?? parent.value;
  if (!isObject(object)) return;
  const properties = propertiesOf(parent.type);
  const holder = parent.companion === undefined ? parent : node(object, parent.type);
  for (const name of Object.keys(object)) {
    const bare = name.startsWith('_') ? name.slice(1) : name;
    const property = properties.get(bare);
    // A primitive is read once: by its value, or by its companion when that is all there is.
    if (property !== undefined && (bare === name || object[bare] === undefined)) readProperty(holder, property, out);
  }
}
