import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

/** One element as r4-types.json holds it: `min` 0, `max` 1 and false flags are left out. */
interface ElementRow {
  readonly types: readonly string[];
  readonly min?: number;
  readonly max?: number | '*';
  readonly targets?: readonly string[];
  readonly binding?: { readonly strength: string; readonly valueSet: string };
  readonly summary?: true;
  readonly modifier?: true;
  readonly constraints?: readonly ConstraintRow[];
}

interface ConstraintRow {
  readonly key: string;
  readonly severity: string;
  readonly human: string;
  readonly expression: string;
}

/** One type as r4-types.json holds it: only what it adds to, or changes in, its base. */
interface TypeRow {
  readonly kind: 'resource' | 'complex' | 'backbone' | 'primitive';
  readonly base?: string;
  readonly regex?: string;
  readonly constraints?: readonly ConstraintRow[];
  readonly elements: Readonly<Record<string, ElementRow>>;
}

export type TypeTable = Readonly<Record<string, TypeRow>>;

const TYPE_EXTENSION = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type';
const REGEX_EXTENSION = 'http://hl7.org/fhir/StructureDefinition/regex';
const KINDS = { resource: 'resource', 'complex-type': 'complex', 'primitive-type': 'primitive' } as const;

const lastSegment = (url: string) => url.slice(url.lastIndexOf('/') + 1);
const childName = (path: string) => path.slice(path.lastIndexOf('.') + 1);
const parentPath = (path: string) => path.slice(0, path.lastIndexOf('.'));

/** A type as HL7 defines it. */
interface Source {
  readonly definition: StructureDefinition;
  readonly elements: readonly ElementDefinition[];
  /** Paths that have elements of their own: the type itself and its backbone elements. */
  readonly parents: ReadonlySet<string>;
}

/** Every resource, datatype, backbone element and primitive of R4; profiles and logical models are left out. */
export function typeTable(definitions: readonly StructureDefinition[]): TypeTable {
  const sources = definitions.filter((sd) => sd.derivation !== 'constraint' && sd.kind !== 'logical').map(sourceOf);
  const all = new Map(sources.flatMap(({ elements }) => elements.map((element) => [element.path, element] as const)));
  const rows = sources.flatMap((source) => typeRows(source, all));
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sourceOf(definition: StructureDefinition): Source {
  const elements = definition.snapshot?.element ?? [];
  return { definition, elements, parents: new Set(elements.map(({ path }) => parentPath(path))) };
}

/** The row of a type itself and those of its backbone elements. */
function typeRows(source: Source, all: ReadonlyMap<string, ElementDefinition>): [string, TypeRow][] {
  return source.elements
    .filter(({ path }) => source.parents.has(path))
    .map((element) => {
      const children = source.elements.filter((child) => parentPath(child.path) === element.path);
      return [element.path, typeRow(source, element, children, all)];
    });
}

function typeRow(
  source: Source,
  element: ElementDefinition,
  children: readonly ElementDefinition[],
  all: ReadonlyMap<string, ElementDefinition>,
): TypeRow {
  const { type, kind, baseDefinition } = source.definition;
  const isRoot = element.path === type;
  const base = isRoot ? baseDefinition && lastSegment(baseDefinition) : element.type?.[0]?.code;
  // A primitive's value is no element in JSON: it is the property itself.
  const value = kind === 'primitive-type' ? children.find(({ path }) => childName(path) === 'value') : undefined;
  const regex = value?.type?.[0]?.extension?.find(({ url }) => url === REGEX_EXTENSION)?.valueString;
  const constraints = ownConstraints(source, element);
  const rows = children
    .filter((child) => child !== value && !inherits(child, all))
    .map((child) => [childName(child.path), elementRow(source, child)] as const);
  return {
    kind: isRoot ? KINDS[kind as keyof typeof KINDS] : 'backbone',
    ...(base === undefined ? {} : { base }),
    ...(regex === undefined ? {} : { regex }),
    ...(constraints.length === 0 ? {} : { constraints }),
    elements: Object.fromEntries(rows),
  };
}

/** Whether an element is its base type's own, unchanged. */
function inherits(element: ElementDefinition, all: ReadonlyMap<string, ElementDefinition>): boolean {
  const origin = element.base?.path;
  if (origin === undefined || origin === element.path) return false;
  const inherited = all.get(origin);
  const essence = (e: ElementDefinition) =>
    JSON.stringify([e.min, e.max, typesOf(e), e.binding, e.isSummary, e.isModifier]);
  return inherited !== undefined && essence(inherited) === essence(element);
}

function elementRow(source: Source, element: ElementDefinition): ElementRow {
  const isBackbone = source.parents.has(element.path);
  const targets = [...new Set((element.type ?? []).flatMap((type) => type.targetProfile ?? []).map(lastSegment))];
  const { strength, valueSet } = element.binding ?? {};
  // A backbone element's constraints are told with its type.
  const constraints = isBackbone ? [] : ownConstraints(source, element);
  return {
    types: isBackbone ? [element.path] : typesOf(element),
    ...(element.min === 0 ? {} : { min: element.min ?? 0 }),
    ...(element.max === '1' ? {} : { max: element.max === '*' ? '*' : Number(element.max) }),
    ...(targets.length === 0 ? {} : { targets }),
    ...(strength === undefined || valueSet === undefined ? {} : { binding: { strength, valueSet } }),
    ...(element.isSummary === true ? { summary: true } : {}),
    ...(element.isModifier === true ? { modifier: true } : {}),
    ...(constraints.length === 0 ? {} : { constraints }),
  };
}

function typesOf(element: ElementDefinition): string[] {
  // R4's snapshots say "string" for Resource.id; the specification's text and every later version say "id".
  if (element.base?.path === 'Resource.id') return ['id'];
  if (element.contentReference !== undefined) return [element.contentReference.slice(1)];
  return (element.type ?? []).map((type) => {
    const fhirType = type.extension?.find((extension) => extension.url === TYPE_EXTENSION)?.valueUrl;
    // xhtml.id is the one element that names a FHIRPath type alone.
    return fhirType ?? (type.code === 'http://hl7.org/fhirpath/System.String' ? 'string' : (type.code ?? ''));
  });
}

/** The constraints that this type adds: those of its base, and those of an element's type, are told there. */
function ownConstraints({ definition }: Source, element: ElementDefinition): ConstraintRow[] {
  const isRoot = element.path === definition.type;
  return (element.constraint ?? [])
    .filter(({ source }) => source === undefined || (isRoot && source === definition.url))
    .map(({ key = '', severity = 'error', human = '', expression = '' }) => ({ key, severity, human, expression }));
}
