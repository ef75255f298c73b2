import { type ElementDefinition, isResourceType, propertyNames, typeDefinition } from '../definitions/definitions.ts';
import { siblingName } from './schema.ts';

/** A place in a resource: what JSON has there, and what FHIR calls it. */
export interface Place {
  /** FHIRPath, with `value` for `valueQuantity` and `given` for `_given`. */
  readonly expression: string;
  /** The type that belongs here: the name of a datatype, backbone element, primitive or resource. */
  readonly type: string;
  readonly value: unknown;
  /** How the JSON says it: the property's own name; '' for the root. */
  readonly property: string;
  /** The element that this place is a part or the whole of; undefined for the root. */
  readonly element?: ElementDefinition;
}

/** Follows a JSON pointer (RFC 6901) from a resource whose type is known. */
export function locate(resource: unknown, type: string, root: string, pointer: string): Place {
  let place: Place = { expression: root, type, value: resource, property: '' };
  for (const segment of pointer.split('/').slice(1)) {
    place = step(place, segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return place;
}

function step(place: Place, segment: string): Place {
  if (Array.isArray(place.value)) {
    const value: unknown = place.value[Number(segment)];
    return { ...place, expression: `${place.expression}[${segment}]`, value, type: actualType(place.type, value) };
  }
  const value = isObject(place.value) ? place.value[segment] : undefined;
  const found = elementOf(place.type, segment);
  if (found === undefined) return { expression: place.expression, type: 'Element', value, property: segment };
  return {
    expression: `${place.expression}.${found.element.name}`,
    type: actualType(found.type, value),
    value,
    property: segment,
    element: found.element,
  };
}

/** A nested resource tells its own type. */
function actualType(type: string, value: unknown): string {
  if (type !== 'Resource' || !isObject(value)) return type;
  return typeof value.resourceType === 'string' && isResourceType(value.resourceType) ? value.resourceType : type;
}

/** The element that a JSON property carries, and the type of the property's value. */
function elementOf(type: string, property: string): { element: ElementDefinition; type: string } | undefined {
  for (const element of typeDefinition(type)?.elements.values() ?? []) {
    for (const [name, valueType] of propertyNames(element)) {
      if (name === property) return { element, type: valueType };
      if (siblingName(name) === property) return { element, type: valueType === 'xhtml' ? 'xhtml' : 'Element' };
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
