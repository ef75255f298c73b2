import {
  type ElementDefinition,
  propertyNames,
  type TypeDefinition,
  typeDefinition,
} from '../definitions/definitions.ts';
import { requiredCodesOf } from './bindings.ts';

/** A JSON schema whose own keywords (all named fhir…) are those of keywords.ts. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The argument of the keyword fhirElements: what concerns several properties of one object at a time. */
export interface ElementRules {
  /** Elements with min ≥ 1: one of `properties` must be there. */
  readonly required: readonly { readonly element: string; readonly properties: readonly string[] }[];
  /** Property → the choice element and the type that it belongs to: at most one type of each may be there. */
  readonly choices: ReadonlyMap<string, { readonly element: string; readonly type: string }>;
  /** Repeating primitives: a null in `name` stands for an item that has only an entry in `_name`, and vice versa. */
  readonly repeatingPrimitives: readonly string[];
}

/**
 * The JSON schema of one type (http://hl7.org/fhir/R4/json.html). It refers to other types by name, so that each is
 * compiled once, when it is first needed.
 */
export function typeSchema(type: TypeDefinition): JsonSchema {
  const elements = [...type.elements.values()].filter((element) => element.max > 0);
  const properties = Object.fromEntries(elements.flatMap((element) => elementProperties(type, element)));
  const rules = elementRules(type, elements);
  const hasRules = rules.required.length + rules.choices.size + rules.repeatingPrimitives.length > 0;
  return {
    $id: type.name,
    type: 'object',
    properties: type.kind === 'resource' ? { resourceType: { const: type.name }, ...properties } : properties,
    additionalProperties: false,
    ...(type.kind === 'resource' ? {} : { minProperties: 1 }),
    ...(hasRules ? { fhirElements: rules } : {}),
  };
}

/** The sibling that holds a primitive's id and extensions: http://hl7.org/fhir/R4/json.html#primitive */
export function siblingName(property: string): string {
  return `_${property}`;
}

/** Whether the JSON property has such a sibling; the ids of elements and Extension.url are attributes and have none. */
function hasSibling(owner: TypeDefinition, element: ElementDefinition, type: string): boolean {
  const attribute = element.name === 'id' || (owner.name === 'Extension' && element.name === 'url');
  return !attribute && typeDefinition(type)?.kind === 'primitive';
}

function elementProperties(owner: TypeDefinition, element: ElementDefinition): [string, JsonSchema][] {
  return [...propertyNames(element)].flatMap(([property, type]): [string, JsonSchema][] => {
    const repeats = element.max > 1;
    const value: [string, JsonSchema] = [property, repeated(repeats, valueSchema(owner, element, type, repeats))];
    if (!hasSibling(owner, element, type)) return [value];
    const holder = { type: repeats ? ['object', 'null'] : 'object', fhirType: type === 'xhtml' ? 'xhtml' : 'Element' };
    return [value, [siblingName(property), repeated(repeats, holder)]];
  });
}

function repeated(repeats: boolean, items: JsonSchema): JsonSchema {
  return repeats ? { type: 'array', minItems: 1, items } : items;
}

/** The value's own schema, and what the element asks of it: its required binding, and where a reference may lead. */
function valueSchema(owner: TypeDefinition, element: ElementDefinition, type: string, repeats: boolean): JsonSchema {
  return {
    ...plainSchema(owner, element, type, repeats),
    ...bindingSchema(element, type),
    ...targetSchema(element, type),
  };
}

function bindingSchema({ binding }: ElementDefinition, type: string): JsonSchema {
  if (binding?.strength !== 'required' || requiredCodesOf(binding.valueSet) === undefined) return {};
  if (type === 'code') return { fhirCode: binding.valueSet };
  return type === 'CodeableConcept' ? { fhirConcept: binding.valueSet } : {};
}

function targetSchema({ targets = [] }: ElementDefinition, type: string): JsonSchema {
  return type !== 'Reference' || targets.length === 0 || targets.includes('Resource') ? {} : { fhirTargets: targets };
}

function plainSchema(owner: TypeDefinition, element: ElementDefinition, type: string, repeats: boolean): JsonSchema {
  if (type === 'Resource') return { type: 'object', fhirResource: element.name === 'contained' ? 'contained' : 'any' };
  if (typeDefinition(type)?.kind !== 'primitive') return { type: 'object', fhirType: type };
  if (owner.name === 'Reference' && element.name === 'reference') return { fhirPrimitive: 'Reference.reference' };
  return repeats && hasSibling(owner, element, type) ? { fhirNullablePrimitive: type } : { fhirPrimitive: type };
}

function elementRules(type: TypeDefinition, elements: readonly ElementDefinition[]): ElementRules {
  const withSibling = (element: ElementDefinition, property: string, of: string) =>
    hasSibling(type, element, of) ? [property, siblingName(property)] : [property];
  const properties = (element: ElementDefinition) =>
    [...propertyNames(element)].flatMap(([property, of]) => withSibling(element, property, of));
  const choices = elements
    .filter((element) => element.choice)
    .flatMap((element) =>
      [...propertyNames(element)].flatMap(([property, of]) =>
        withSibling(element, property, of).map((name) => [name, { element: element.name, type: of }] as const),
      ),
    );
  return {
    required: elements
      .filter((element) => element.min > 0)
      .map((element) => ({ element: element.name, properties: properties(element) })),
    choices: new Map(choices),
    repeatingPrimitives: elements
      .filter((element) => element.max > 1 && hasSibling(type, element, element.types[0] ?? ''))
      .map((element) => element.name),
  };
}
