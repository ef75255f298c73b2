import { type ElementDefinition, propertyNames, typeDefinition } from '../definitions/definitions.ts';

/**
 * Parts of a resource: the forms of `_summary` that leave something out, and `_elements`
 * (http://hl7.org/fhir/R4/search.html#summary, #elements).
 */
export type Subset =
  | { readonly kind: 'summary'; readonly form: 'true' | 'text' | 'data' }
  /** Names of elements, perhaps with the type in front or with a path behind, which brings the whole element. */
  | { readonly kind: 'elements'; readonly names: readonly string[] };

type JsonObject = Readonly<Record<string, unknown>>;

/** What a client that gets only a part is told, so that it does not write it back for the whole. */
const SUBSETTED = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
} as const;

/** The part of a resource, tagged as such. Whatever its form, `id` and `meta` stay. */
export function subsetOf(resource: JsonObject, subset: Subset): JsonObject {
  const type = String(resource.resourceType);
  const part = partOf(resource, type, subset);
  const meta = isObject(resource.meta) ? resource.meta : {};
  const tags = Array.isArray(meta.tag) ? meta.tag : [];
  const { resourceType, id, ...rest } = part;
  return {
    resourceType,
    ...(id === undefined ? {} : { id }),
    ...rest,
    meta: { ...meta, tag: [...tags, SUBSETTED] },
  };
}

function partOf(resource: JsonObject, type: string, subset: Subset): JsonObject {
  if (subset.kind === 'elements') {
    const wanted = new Set(subset.names.map((name) => topElement(name, type)));
    return topLevel(
      resource,
      type,
      (element) => wanted.has(element.name) || element.min > 0 || element.modifier === true,
    );
  }
  switch (subset.form) {
    case 'true':
      return summaryOf(resource, type);
    case 'text':
      return topLevel(resource, type, (element) => element.name === 'text' || element.min > 0);
    case 'data': {
      const { text: _, ...data } = resource;
      return data;
    }
  }
}

/** `Patient.name.family` of a Patient and `name` are both `name`. */
function topElement(name: string, type: string): string {
  const steps = name.split('.');
  return (steps.length > 1 && steps[0] === type ? steps[1] : steps[0]) ?? '';
}

const ALWAYS: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta']);

function topLevel(resource: JsonObject, type: string, keeps: (element: ElementDefinition) => boolean): JsonObject {
  return Object.fromEntries(
    [...properties(resource, type)].filter(
      ([name, , element]) => ALWAYS.has(name) || (element !== undefined && keeps(element)),
    ),
  );
}

/** What the definitions mark for summaries, in depth. */
function summaryOf(value: JsonObject, type: string): JsonObject {
  const kept: Record<string, unknown> = {};
  for (const [name, item, element, itemType] of properties(value, type)) {
    if (name === 'resourceType' || element?.summary === true) kept[name] = deeper(item, itemType);
  }
  return kept;
}

function deeper(value: unknown, type: string | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => deeper(item, type));
  const kind = type === undefined ? undefined : typeDefinition(type)?.kind;
  const known = type !== undefined && (kind === 'complex' || kind === 'backbone');
  return isObject(value) && known && type !== 'Extension' ? summaryOf(value, type) : value;
}

type Property = readonly [
  name: string,
  value: unknown,
  element: ElementDefinition | undefined,
  type: string | undefined,
];

/** Each property with the element that it carries; `_birthDate` carries what `birthDate` does. */
function* properties(value: JsonObject, type: string): Iterable<Property> {
  const byName = new Map<string, readonly [ElementDefinition, string]>();
  for (const element of typeDefinition(type)?.elements.values() ?? []) {
    for (const [name, elementType] of propertyNames(element)) byName.set(name, [element, elementType]);
  }
  for (const [name, item] of Object.entries(value)) {
    const [element, elementType] = byName.get(name.startsWith('_') ? name.slice(1) : name) ?? [];
    yield [name, item, element, name.startsWith('_') ? undefined : elementType];
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}
