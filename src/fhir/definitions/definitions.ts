/**
 * The types of FHIR R4 (4.0.1) as data: resources, datatypes, backbone elements and primitives, with their elements
 * (http://hl7.org/fhir/R4/structuredefinition.html). Everything that must know R4's structure reads it here.
 */
import table from './r4-types.json' with { type: 'json' };
import { RESOURCE_TYPES, type ResourceType } from './resource-types.ts';

export { RESOURCE_TYPES, type ResourceType };

export interface ElementDefinition {
  /** As FHIRPath says it: `value` for `value[x]`. */
  readonly name: string;
  /** Whether the element is `name[x]`: its JSON property is the name followed by the type. */
  readonly choice: boolean;
  /** Names that `typeDefinition` knows: `Quantity`, `string`, `Observation.component` (also for contentReference). */
  readonly types: readonly string[];
  readonly min: number;
  /** Infinity for `*`. */
  readonly max: number;
  /** For Reference and canonical: the resource types that may be referred to; `Resource` means any. */
  readonly targets?: readonly string[];
  readonly binding?: Binding;
  readonly summary?: true;
  readonly modifier?: true;
  /** Invariants of this element only; those of its type are with the type. */
  readonly constraints?: readonly Constraint[];
}

interface Binding {
  readonly strength: 'required' | 'extensible' | 'preferred' | 'example';
  /** Canonical URL, with `|4.0.1` where HL7 pins it. */
  readonly valueSet: string;
}

/** An invariant: `expression` is FHIRPath that must be true of each instance. */
interface Constraint {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: string;
}

export interface TypeDefinition {
  readonly name: string;
  readonly kind: 'resource' | 'complex' | 'backbone' | 'primitive';
  readonly base?: string;
  /** By name without `[x]`, inherited elements first. A primitive has those of Element: what `_name` may hold. */
  readonly elements: ReadonlyMap<string, ElementDefinition>;
  /** HL7's pattern for the text of a primitive. Some backtrack badly: see validation/primitives.ts. */
  readonly regex?: string;
  /** Inherited ones first. */
  readonly constraints?: readonly Constraint[];
}

interface ElementRow extends Omit<ElementDefinition, 'name' | 'choice' | 'min' | 'max'> {
  readonly min?: number;
  readonly max?: number | '*';
}

interface TypeRow extends Pick<TypeDefinition, 'kind' | 'base' | 'regex' | 'constraints'> {
  readonly elements: Readonly<Record<string, ElementRow>>;
}

const ROWS = new Map(Object.entries(table as unknown as Readonly<Record<string, TypeRow>>));

/** What has been read of the constant table so far; a type's Maps are built when it is first asked for. */
const built = new Map<string, TypeDefinition>();

/** The definition of a type such as `Observation`, `Observation.component`, `Quantity`, `code`; undefined when unknown. */
export function typeDefinition(name: string): TypeDefinition | undefined {
  const known = built.get(name);
  if (known !== undefined) return known;
  const row = ROWS.get(name);
  if (row === undefined) return undefined;
  const definition = define(name, row);
  built.set(name, definition);
  return definition;
}

const RESOURCE_TYPE_SET: ReadonlySet<string> = new Set(RESOURCE_TYPES);

/** Whether `name` is a concrete resource type of R4. */
export function isResourceType(name: string): name is ResourceType {
  return RESOURCE_TYPE_SET.has(name);
}

/**
 * The JSON properties that carry an element, each with the type of its value: `valueQuantity` → `Quantity`,
 * `valueString` → `string`, ... for a choice; otherwise the element's own name.
 * http://hl7.org/fhir/R4/formats.html#choice
 */
export function propertyNames(element: ElementDefinition): ReadonlyMap<string, string> {
  return new Map(element.types.map((type) => [element.choice ? element.name + capitalised(type) : element.name, type]));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function define(name: string, row: TypeRow): TypeDefinition {
  const base = row.base === undefined ? undefined : typeDefinition(row.base);
  const constraints = [...(base?.constraints ?? []), ...(row.constraints ?? [])];
  const own = Object.entries(row.elements).map(([key, element]) => elementDefinition(key, element));
  return {
    name,
    kind: row.kind,
    ...(row.base === undefined ? {} : { base: row.base }),
    ...(row.regex === undefined ? {} : { regex: row.regex }),
    ...(constraints.length === 0 ? {} : { constraints }),
    elements: new Map([...(base?.elements ?? []), ...own.map((element) => [element.name, element] as const)]),
  };
}

function elementDefinition(key: string, row: ElementRow): ElementDefinition {
  const choice = key.endsWith('[x]');
  return {
    ...row,
    name: choice ? key.slice(0, -3) : key,
    choice,
    min: row.min ?? 0,
    max: row.max === '*' ? Number.POSITIVE_INFINITY : (row.max ?? 1),
  };
}
