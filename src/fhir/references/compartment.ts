/**
 * Which patients a resource belongs to, by R4's Patient compartment
 * (http://hl7.org/fhir/R4/compartmentdefinition-patient.html). Consent is decided on this, so whatever might be a
 * patient and cannot be told makes the whole resource undeterminable.
 */
import { compartmentParameters } from '../definitions/compartments.ts';
import { isResourceType } from '../definitions/definitions.ts';
import { SEARCH_PARAMETERS } from '../definitions/search-parameters.ts';
import {
  type CompiledExpression,
  compileExpression,
  Environment,
  type Expression,
  parseExpression,
  resourceNode,
} from '../fhirpath/fhirpath.ts';
import { type ParsedReference, parseReference } from './reference.ts';

type PatientReference = Extract<ParsedReference, { kind: 'relative' | 'absolute' }>;

export interface PatientReferences {
  /** Each patient once, without version. Relative references, and absolute ones to any server. */
  readonly references: readonly PatientReference[];
  /** Some element that may hold a patient does not say which. */
  readonly undeterminable: boolean;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** What has been compiled of the constant tables so far, by resource type. */
const compiled = new Map<string, readonly CompiledExpression[]>();

/**
 * The patients that `resource` belongs to:
 *
 * - a Patient belongs to itself and to the patients it is linked to; without an id it is undeterminable;
 * - other types to those that the compartment's search parameters name, a List also to the patients it lists;
 * - contained resources, the entries of a Bundle and the resources in Parameters count as if they were its own.
 *
 * Undeterminable is a logical reference (identifier or display alone), a conditional one, a `urn:` that no entry of the
 * same Bundle has, an unknown URL, a fragment that leads nowhere, each unless `Reference.type` or the reference itself
 * says that it is no Patient (in a contained resource a mere display does not count: insurers write a payor so); and a
 * contained Patient, or one in a Bundle under a `urn:`, whose identity outside is unknown, unless its `link` names one.
 */
export function patientReferences(resource: object): PatientReferences {
  const search = new Search();
  search.visit(resource as JsonObject, { root: resource as JsonObject });
  return { references: search.references, undeterminable: search.undeterminable };
}

/** Where a resource stands. */
interface Place {
  /** What fragments refer to: the outermost resource that is not in a Bundle. */
  readonly root: JsonObject;
  readonly contained?: true;
  readonly entry?: { readonly fullUrl: string | undefined; readonly types: ReadonlyMap<string, string> };
}

class Search {
  readonly references: PatientReference[] = [];
  undeterminable = false;
  /** Cohort Groups have many members. */
  readonly #known = new Set<string>();

  visit(resource: JsonObject, place: Place): void {
    const type = resource.resourceType;
    if (typeof type !== 'string') return;
    const linksBefore = this.references.length;
    const context = resourceNode(resource);
    const environment = new Environment(context);
    for (const expression of expressionsOf(type)) {
      for (const { value } of expression.evaluate(context, environment))
        this.#reference(isObject(value) ? value : {}, place);
    }
    if (type === 'Patient') this.#itself(resource, place, this.references.length > linksBefore);
    for (const inner of objects(resource.contained)) this.visit(inner, { ...place, contained: true });
    if (type === 'Bundle') this.#bundle(resource);
    if (type === 'Parameters') this.#parameters(resource.parameter);
  }

  #itself({ id }: JsonObject, place: Place, isLinked: boolean): void {
    const fullUrl = place.entry?.fullUrl;
    const own = fullUrl === undefined ? undefined : parseReference(fullUrl);
    if (!place.contained && own?.kind === 'absolute') this.#add(own);
    else if (!place.contained && fullUrl === undefined && typeof id === 'string') {
      this.#add({ kind: 'relative', type: 'Patient', id });
    } else if (!isLinked) this.undeterminable = true;
  }

  #bundle(bundle: JsonObject): void {
    const entries = objects(bundle.entry);
    const types = new Map(
      entries.flatMap(({ fullUrl, resource }) => {
        const type = isObject(resource) ? resource.resourceType : undefined;
        return typeof fullUrl === 'string' && typeof type === 'string' ? [[fullUrl, type] as const] : [];
      }),
    );
    for (const { fullUrl, resource } of entries) {
      const url = typeof fullUrl === 'string' ? fullUrl : undefined;
      if (isObject(resource)) this.visit(resource, { root: resource, entry: { fullUrl: url, types } });
    }
  }

  #parameters(parameters: unknown): void {
    for (const { resource, part } of objects(parameters)) {
      if (isObject(resource)) this.visit(resource, { root: resource });
      this.#parameters(part);
    }
  }

  #reference(value: JsonObject, place: Place): void {
    const reference = typeof value.reference === 'string' ? parseReference(value.reference) : undefined;
    switch (reference?.kind) {
      case 'relative':
        if (reference.type === 'Patient') this.#add(absolute(reference, place));
        return;
      case 'absolute':
        if (reference.type === 'Patient') this.#add(reference);
        return;
      case 'conditional':
        if (reference.type === 'Patient') this.undeterminable = true;
        return;
      case 'fragment':
        // What is found is visited as a contained resource of its own.
        if (!hasContained(place.root, reference.id)) this.#unknown(value.type);
        return;
      default:
        // A target in the same Bundle is visited as an entry of its own.
        if (!place.entry?.types.has(String(value.reference)) && !isMereText(value, place)) this.#unknown(value.type);
    }
  }

  /** Something refers to what cannot be told, unless the reference says that it is no Patient. */
  #unknown(toldType: unknown): void {
    const type = typeof toldType === 'string' ? toldType.replace('http://hl7.org/fhir/StructureDefinition/', '') : '';
    if (!isResourceType(type) || type === 'Patient') this.undeterminable = true;
  }

  #add(reference: PatientReference): void {
    const key = `${reference.kind === 'absolute' ? reference.base : ''} ${reference.id}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    const { version, ...patient } = reference;
    this.references.push(version === undefined ? reference : patient);
  }
}

/** A contained resource's reference of words alone, such as an insurer's name: it adds nobody to its container's patients. */
function isMereText({ reference, identifier }: JsonObject, { contained }: Place): boolean {
  return contained === true && reference === undefined && identifier === undefined;
}

/** In a Bundle, relative to the entry's own base (http://hl7.org/fhir/R4/bundle.html#references). */
function absolute(reference: PatientReference, place: Place): PatientReference {
  const fullUrl = place.entry?.fullUrl;
  const own = fullUrl === undefined ? undefined : parseReference(fullUrl);
  return own?.kind === 'absolute' ? { ...reference, kind: 'absolute', base: own.base } : reference;
}

function hasContained(root: JsonObject, id: string): boolean {
  return id === '' || objects(root.contained).some((inner) => inner.id === id);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The expressions that yield the references in question for one type. */
function expressionsOf(type: string): readonly CompiledExpression[] {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  if (!isResourceType(type)) return [];
  const codes = compartmentParameters('Patient', type);
  const sources = SEARCH_PARAMETERS.filter(({ base, code }) => base.includes(type) && codes.includes(code)).flatMap(
    ({ expression }) => expression ?? [],
  );
  if (type === 'List') sources.push('List.entry.item');
  const expressions = sources.map((source) => compileExpression(withoutTypeFilter(parseExpression(source)), type));
  compiled.set(type, expressions);
  return expressions;
}

/** Without `.where(resolve() is Patient)`, which would hide the references of which the type is unknown. */
function withoutTypeFilter(expression: Expression): Expression {
  if (expression.kind === 'binary') {
    return { ...expression, left: withoutTypeFilter(expression.left), right: withoutTypeFilter(expression.right) };
  }
  if (expression.kind !== 'call' || expression.name !== 'where' || expression.on === undefined) return expression;
  const [criterion] = expression.args;
  const isFilter =
    criterion?.kind === 'type' &&
    criterion.operator === 'is' &&
    criterion.on.kind === 'call' &&
    criterion.on.name === 'resolve';
  return isFilter ? withoutTypeFilter(expression.on) : expression;
}
