import type { Resource } from '@medplum/fhirtypes';
import { patientReferences } from '../fhir/references/compartment.ts';
import { parseReference } from '../fhir/references/reference.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { SearchValue } from '../fhir/search/values.ts';
import { codeAndAncestors } from '../fhir/terminology/code-hierarchy.ts';
import type { Names } from '../repository/names.ts';
import { type RecordCoding, type RecordFacts, type Told, UNKNOWN_PATIENT } from './facts.ts';
import { confidentialityOf, tagsOf } from './labels.ts';
import type { Interval } from './policy.ts';

/**
 * What a resource tells that consent can ask about (DESIGN §7). Computed once when it is written, for the facets, and
 * again from the opened content whenever it is shown, for the second lock; each part only when asked for.
 */
export interface FactsReader {
  read(resource: Resource, institution: string): RecordFacts;
}

/** R5's Provenance.patient, as the extension that R4 has for it: how our own Provenance tells its patient. */
export const PROVENANCE_PATIENT = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient';

/** Search parameters that say what a record is about, the first that its type has. */
const ABOUT = ['code', 'vaccine-code', 'type'];
/** Search parameters that say who wrote a record. */
const AUTHORS = ['author', 'recorder', 'asserter', 'requester', 'sender'];

export function createFactsReader(registry: SearchRegistry, names: Names): FactsReader {
  return { read: (resource, institution) => new LazyFacts(resource, institution, registry, names) };
}

type Parameters = ReturnType<SearchRegistry['searchParametersOf']>;

class LazyFacts implements RecordFacts {
  readonly institution: string;
  readonly type: string;
  readonly name: string;
  readonly #resource: Resource;
  readonly #parameters: Parameters;
  readonly #names: Names;
  #inner: readonly Resource[] | undefined;
  #patients: readonly string[] | undefined;
  #codes: Told<RecordCoding> | undefined;

  constructor(resource: Resource, institution: string, registry: SearchRegistry, names: Names) {
    this.institution = institution;
    this.type = resource.resourceType;
    this.name = names.name(institution, this.type, resource.id ?? '');
    this.#resource = resource;
    this.#parameters = registry.searchParametersOf(this.type);
    this.#names = names;
  }

  get patients(): readonly string[] {
    this.#patients ??= patientNames(this.#resource, this.institution, this.#names);
    return this.#patients;
  }

  get types(): Told<string> {
    return this.#ofParts((one) => [one.resourceType]);
  }

  get names(): Told<string> {
    return this.#ofParts((one) => [this.#names.name(this.institution, one.resourceType, one.id ?? '')]);
  }

  get profiles(): Told<string> {
    return { ...this.#ofParts(profilesOf), open: profilesOf(this.#resource).length === 0 };
  }

  get confidentiality(): Told<RecordCoding> {
    return confidentialityOf(labelsOf(this.#resource), this.#resourcesInside().map(labelsOf));
  }

  get tags(): Told<RecordCoding> {
    return tagsOf(labelsOf(this.#resource), this.#resourcesInside().map(labelsOf));
  }

  get codes(): Told<RecordCoding> {
    this.#codes ??= codesOf(this.#resource, this.#parameters);
    return this.#codes;
  }

  get dates(): Interval | undefined {
    return envelope(this.#parameters.get('date')?.values(this.#resource) ?? []);
  }

  get authors(): Told<string> {
    return authorsOf(this.#resource, this.institution, this.#parameters, this.#names);
  }

  codings(parameter: string): readonly RecordCoding[] {
    return (this.#parameters.get(parameter)?.values(this.#resource) ?? []).flatMap((value) =>
      value.kind === 'token' && value.code !== undefined ? [{ system: value.system, code: value.code }] : [],
    );
  }

  /** What is inside may be what a deny is about, but a permit is for the whole. */
  #ofParts(tell: (one: Resource) => readonly string[]): Told<string> {
    const certain = tell(this.#resource);
    return { certain, possible: [...certain, ...this.#resourcesInside().flatMap(tell)], open: false };
  }

  #resourcesInside(): readonly Resource[] {
    this.#inner ??= resourcesIn(this.#resource);
    return this.#inner;
  }
}

/** Everything that lies whole inside of a resource: contained, in a Bundle, in Parameters. */
function resourcesIn(node: object): readonly Resource[] {
  const found: Resource[] = [];
  for (const child of Object.values(node)) {
    if (child === null || typeof child !== 'object') continue;
    if (typeof child.resourceType === 'string') found.push(child);
    found.push(...resourcesIn(child));
  }
  return found;
}

function profilesOf({ meta }: Resource): readonly string[] {
  return (meta?.profile ?? []).map((canonical) => canonical.split('|')[0] ?? canonical);
}

function labelsOf({ meta }: Resource): readonly RecordCoding[] {
  return (meta?.security ?? []).flatMap(({ system, code }) => (code === undefined ? [] : [{ system, code }]));
}

/** A code is everything that it is a kind of: so consents need to be compared by equality only. */
function withAncestors(codings: readonly RecordCoding[]): readonly RecordCoding[] {
  return codings.flatMap((one) =>
    one.system === undefined
      ? [one]
      : codeAndAncestors(one.system, one.code).map((code) => ({ system: one.system, code })),
  );
}

/**
 * A permit goes by what the record is about, its type's `code`; a deny by every code anywhere in it, and it hears one
 * that does not tell what it is about, or tells it in words alone.
 */
function codesOf(resource: Resource, parameters: Parameters): Told<RecordCoding> {
  const about = ABOUT.map((code) => parameters.get(code)).find((one) => one?.type === 'token');
  const certain = (about?.values(resource) ?? []).flatMap((value) =>
    value.kind === 'token' && value.code !== undefined && value.system !== undefined
      ? [{ system: value.system, code: value.code }]
      : [],
  );
  const possible: RecordCoding[] = [...certain];
  collectCodings(resource, possible);
  return { certain: withAncestors(certain), possible: withAncestors(possible), open: certain.length === 0 };
}

/** Every Coding anywhere but in `meta`: an object with a code that is no Quantity. */
function collectCodings(node: unknown, found: RecordCoding[]): void {
  if (Array.isArray(node)) {
    for (const item of node) collectCodings(item, found);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  const { code, system } = node as { code?: unknown; system?: unknown };
  if (typeof code === 'string' && !('value' in node)) {
    found.push({ system: typeof system === 'string' ? system : undefined, code });
  }
  for (const [key, child] of Object.entries(node)) {
    if (typeof child === 'object' && key !== 'meta') collectCodings(child, found);
  }
}

/** Where something is requested, `performer` is who shall do it, not who wrote the request. */
function authorsOf(resource: Resource, institution: string, parameters: Parameters, names: Names): Told<string> {
  const codes = parameters.has('requester') ? AUTHORS : [...AUTHORS, 'performer'];
  const references = codes
    .map((code) => parameters.get(code))
    .filter((parameter) => parameter?.type === 'reference')
    .flatMap((parameter) => parameter?.values(resource) ?? [])
    .map((value) => (value.kind === 'reference' ? value.reference : undefined));
  const certain = references
    .map((reference) => (reference === undefined ? undefined : names.nameOf(reference, institution)))
    .filter((one) => one !== undefined);
  return { certain, possible: certain, open: certain.length === 0 || certain.length < references.length };
}

/** A patient of another base, or of another server, cannot speak here: it counts as one that cannot be determined. */
function patientNames(resource: Resource, institution: string, names: Names): readonly string[] {
  const { references, undeterminable } = patientReferences(resource);
  const found = new Set<string>();
  if (undeterminable) found.add(UNKNOWN_PATIENT);
  const told =
    resource.resourceType === 'Provenance' ? resource.extension?.filter((one) => one.url === PROVENANCE_PATIENT) : [];
  const extended = (told ?? []).map((one) => parseReference(one.valueReference?.reference ?? ''));
  for (const reference of [...references, ...extended]) {
    const name = reference === undefined ? undefined : names.nameOf(reference, institution);
    found.add(name?.startsWith(`${institution}/`) ? name : UNKNOWN_PATIENT);
  }
  return [...found];
}

/** The outer limits count, as R4 has it for a Timing. */
function envelope(values: readonly SearchValue[]): Interval | undefined {
  const dates = values.filter((value) => value.kind === 'date');
  if (dates.length === 0) return undefined;
  return { from: Math.min(...dates.map((date) => date.low)), until: Math.max(...dates.map((date) => date.high)) };
}
