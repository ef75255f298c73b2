import { propertyNames, type TypeDefinition, typeDefinition } from '../definitions/definitions.ts';
import { expressionError } from './lexer.ts';

/** What is known of a collection before it is evaluated: the types its items may have; undefined when anything. */
export type StaticTypes = readonly string[] | undefined;

/** One JSON property of a type and what it carries. */
export interface Property {
  /** JSON name, such as `valueQuantity`. */
  readonly name: string;
  /** Where a primitive's id and extensions are, such as `_valueString`. */
  readonly companion: string;
  /** Element name, such as `value`. */
  readonly element: string;
  readonly type: string;
  readonly primitive: boolean;
  /** The value is a resource, so its type is told by its `resourceType`. */
  readonly resource: boolean;
}

interface TypeProperties {
  readonly byName: ReadonlyMap<string, Property>;
  readonly byElement: ReadonlyMap<string, readonly Property[]>;
}

const NONE: TypeProperties = { byName: new Map(), byElement: new Map() };

/** What has been derived of the constant type table so far. */
const derived = new Map<string, TypeProperties>();

function typeProperties(type: string): TypeProperties {
  const known = derived.get(type);
  if (known !== undefined) return known;
  const definition = typeDefinition(type);
  const properties = definition === undefined ? NONE : derive(definition);
  if (definition !== undefined) derived.set(type, properties);
  return properties;
}

function derive(definition: TypeDefinition): TypeProperties {
  const byElement = new Map<string, readonly Property[]>();
  for (const element of definition.elements.values()) {
    const properties = [...propertyNames(element)].map(([name, type]): Property => {
      const kind = typeDefinition(type)?.kind;
      const [primitive, resource] = [kind === 'primitive', kind === 'resource'];
      return { name, companion: `_${name}`, element: element.name, type, primitive, resource };
    });
    byElement.set(element.name, properties);
  }
  const all = [...byElement.values()].flat();
  return { byName: new Map(all.map((property) => [property.name, property])), byElement };
}

/** The JSON properties of a type by name; none when the type is unknown. */
export function propertiesOf(type: string): ReadonlyMap<string, Property> {
  return typeProperties(type).byName;
}

/** The JSON properties that may carry an element of a type: one, or one per type of a choice. */
export function readsOf(type: string, element: string): readonly Property[] | undefined {
  return typeProperties(type).byElement.get(element);
}

/** Whether `type` is `ancestor` or derived from it. */
export function isSubtype(type: string, ancestor: string): boolean {
  for (let at: string | undefined = type; at !== undefined; at = typeDefinition(at)?.base) {
    if (at === ancestor) return true;
  }
  return false;
}

/** Whether the items of this type are only known at run time: any resource may stand there. */
export function isAbstract(type: string): boolean {
  return type === 'Resource' || type === 'DomainResource' || type === 'Element' || type === 'BackboneElement';
}

export type SystemType = 'Boolean' | 'String' | 'Integer' | 'Decimal' | 'Date' | 'DateTime' | 'Time' | 'Quantity';

const SYSTEM_NAMES: readonly SystemType[] = [
  'Boolean',
  'String',
  'Integer',
  'Decimal',
  'Date',
  'DateTime',
  'Time',
  'Quantity',
];

/** The FHIRPath type that each FHIR type converts to by itself (http://hl7.org/fhir/R4/fhirpath.html#types). */
const SYSTEM_TYPES: ReadonlyMap<string, SystemType> = new Map<string, SystemType>([
  ...SYSTEM_NAMES.map((name) => [`System.${name}`, name] as const),
  ['boolean', 'Boolean'],
  ...['string', 'uri', 'url', 'canonical', 'code', 'oid', 'id', 'uuid', 'markdown', 'base64Binary', 'xhtml'].map(
    (name) => [name, 'String'] as const,
  ),
  ['integer', 'Integer'],
  ['unsignedInt', 'Integer'],
  ['positiveInt', 'Integer'],
  ['decimal', 'Decimal'],
  ['date', 'Date'],
  ['dateTime', 'DateTime'],
  ['instant', 'DateTime'],
  ['time', 'Time'],
  ...['Quantity', 'Age', 'Count', 'Distance', 'Duration'].map((name) => [name, 'Quantity'] as const),
]);

export function systemTypeOf(type: string): SystemType | undefined {
  return SYSTEM_TYPES.get(type);
}

/**
 * A test for `is`, `as` and `ofType`. A name without `FHIR.` or `System.` is FHIR's first. A FHIR primitive also is
 * the System type that it converts to, as R4's que-7 (`answer is Boolean`) expects.
 *
 * @throws MedSealError `invalid-expression` for an unknown type
 */
export function typeTest(name: string): { readonly type: string; readonly matches: (type: string) => boolean } {
  const fhirName = name.startsWith('FHIR.') ? name.slice(5) : name;
  if (typeDefinition(fhirName) !== undefined) {
    if (fhirName === 'Quantity') return { type: fhirName, matches: (type) => systemTypeOf(type) === 'Quantity' };
    return { type: fhirName, matches: (type) => type === fhirName || isSubtype(type, fhirName) };
  }
  const systemName = SYSTEM_NAMES.find((known) => name === known || name === `System.${known}`);
  if (systemName === undefined) throw expressionError(`Unknown type "${name}"`);
  return { type: `System.${systemName}`, matches: (type) => systemTypeOf(type) === systemName };
}
