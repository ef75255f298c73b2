import type { Resource } from '@medplum/fhirtypes';
import { patientReferences } from '../fhir/references/compartment.ts';
import { parseReference } from '../fhir/references/reference.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { SearchValue } from '../fhir/search/values.ts';
import type { Names } from '../repository/names.ts';
import { type RecordFacts, UNKNOWN_PATIENT } from './decide.ts';
import type { Coding, Interval } from './policy.ts';

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
const AUTHORS = ['author', 'recorder', 'performer', 'asserter', 'requester'];

export function createFactsReader(registry: SearchRegistry, names: Names): FactsReader {
  return { read: (resource, institution) => new LazyFacts(resource, institution, registry, names) };
}

class LazyFacts implements RecordFacts {
  readonly institution: string;
  readonly type: string;
  readonly name: string;
  readonly #resource: Resource;
  readonly #registry: SearchRegistry;
  readonly #names: Names;
  #patients: readonly string[] | undefined;

  constructor(resource: Resource, institution: string, registry: SearchRegistry, names: Names) {
    this.institution = institution;
    this.type = resource.resourceType;
    this.name = names.name(institution, resource.resourceType, resource.id ?? '');
    this.#resource = resource;
    this.#registry = registry;
    this.#names = names;
  }

  get patients(): readonly string[] {
    this.#patients ??= patientNames(this.#resource, this.institution, this.#names);
    return this.#patients;
  }

  get profiles(): readonly string[] {
    return (this.#resource.meta?.profile ?? []).map((canonical) => canonical.split('|')[0] ?? canonical);
  }

  get labels(): readonly Coding[] {
    return (this.#resource.meta?.security ?? []).flatMap(({ system, code }) =>
      code === undefined ? [] : [{ system, code }],
    );
  }

  get codes(): readonly Coding[] {
    const parameters = this.#registry.searchParametersOf(this.type);
    const about = ABOUT.map((code) => parameters.get(code)).find((one) => one?.type === 'token');
    return (about?.values(this.#resource) ?? []).flatMap((value) =>
      value.kind === 'token' && value.code !== undefined ? [{ system: value.system, code: value.code }] : [],
    );
  }

  get mentions(): readonly Coding[] {
    const found: Coding[] = [];
    collectCodings(this.#resource, found);
    return found;
  }

  get dates(): Interval | undefined {
    return envelope(this.#registry.searchParametersOf(this.type).get('date')?.values(this.#resource) ?? []);
  }

  get authors(): readonly string[] {
    const parameters = this.#registry.searchParametersOf(this.type);
    return AUTHORS.flatMap((code) => {
      const parameter = parameters.get(code);
      return parameter?.type === 'reference' ? parameter.values(this.#resource) : [];
    }).flatMap((value) => {
      const reference = value.kind === 'reference' ? value.reference : undefined;
      const name = reference === undefined ? undefined : this.#names.nameOf(reference, this.institution);
      return name === undefined ? [] : [name];
    });
  }
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

function envelope(values: readonly SearchValue[]): Interval | undefined {
  const dates = values.filter((value) => value.kind === 'date');
  if (dates.length === 0) return undefined;
  return { from: Math.min(...dates.map((date) => date.low)), until: Math.max(...dates.map((date) => date.high)) };
}

/** Every Coding anywhere but in `meta`: an object with a code that is no Quantity. */
function collectCodings(node: unknown, found: Coding[]): void {
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
