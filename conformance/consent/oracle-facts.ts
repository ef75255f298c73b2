/**
 * What a resource tells, read naively: no search parameters, no FHIRPath, no shared code. Knows the types and elements that
 * arbitraries.ts makes, and nothing else. Part of the oracle, which imports nothing from src/.
 */
type Json = Readonly<Record<string, unknown>>;

export interface Code {
  readonly system?: string;
  readonly code: string;
}

export interface OracleRecord {
  readonly institution: string;
  readonly type: string;
  readonly name: string;
  /** `?` for one who cannot be told. */
  readonly patients: readonly string[];
  readonly resource: Json;
  /** Whole resources inside of it. */
  readonly inner: readonly Json[];
}

export interface OracleNode {
  readonly publicUrl: string;
  readonly institutions: readonly string[];
}

/** Elements by which a resource lies in a patient's compartment. */
const COMPARTMENT: Readonly<Record<string, readonly string[]>> = {
  Observation: ['subject', 'performer'],
  Condition: ['subject', 'asserter'],
  Encounter: ['subject'],
  MedicationRequest: ['subject'],
  ServiceRequest: ['subject', 'performer'],
  DocumentReference: ['subject', 'author'],
  List: ['subject', 'source'],
};
const AUTHOR: Readonly<Record<string, string>> = {
  Observation: 'performer',
  Condition: 'asserter',
  MedicationRequest: 'requester',
  ServiceRequest: 'requester',
  DocumentReference: 'author',
};
const ABOUT: Readonly<Record<string, string>> = {
  Observation: 'code',
  Condition: 'code',
  Encounter: 'type',
  MedicationRequest: 'medicationCodeableConcept',
  ServiceRequest: 'code',
  DocumentReference: 'type',
};

export function readRecord(resource: Json, institution: string, node: OracleNode): OracleRecord {
  const type = String(resource.resourceType);
  const inner = type === 'Bundle' ? list(resource.entry).map((entry) => (entry as Json).resource as Json) : [];
  const patients = new Set([resource, ...inner].flatMap((one) => patientsOf(one, institution, node)));
  const name = nameOf(`${type}/${resource.id}`, institution, node) ?? '';
  return { institution, type, name, patients: [...patients], resource, inner };
}

function patientsOf(resource: Json, institution: string, node: OracleNode): readonly string[] {
  const type = String(resource.resourceType);
  const found: string[] = type === 'Patient' ? [`${institution}/Patient/${resource.id}`] : [];
  const references = (COMPARTMENT[type] ?? []).flatMap((element) => list(resource[element]));
  if (type === 'List') references.push(...list(resource.entry).map((entry) => (entry as Json).item));
  if (type === 'Patient') references.push(...list(resource.link).map((link) => (link as Json).other));
  for (const one of references as Json[]) {
    if (typeof one.reference !== 'string') found.push('?');
    else if (/(^|\/)Patient\//.test(one.reference)) {
      const name = nameOf(one.reference, institution, node) ?? '?';
      found.push(name.startsWith(`${institution}/`) ? name : '?');
    }
  }
  return found;
}

/** The Patients of the same base that a Patient replaces or is replaced by. */
export function mergersOf(resource: Json, institution: string, node: OracleNode) {
  const patient = `${institution}/Patient/${resource.id}`;
  const links = (list(resource.link) as Json[]).filter(({ type }) => type === 'replaced-by' || type === 'replaces');
  const others = links.map(({ other }) => nameOf(String((other as Json).reference), institution, node));
  const own = others.filter((other) => other?.startsWith(`${institution}/Patient/`) && other !== patient);
  return [...new Set(own as string[])].map((other) => ({ patient, other }));
}

export function nameOf(reference: string, institution: string, { publicUrl, institutions }: OracleNode) {
  const [, base = institution, type, id] =
    new RegExp(`^(?:${publicUrl}/([a-z-]+)/fhir/)?([A-Za-z]+)/([^/]+)$`).exec(reference) ?? [];
  if (type === undefined || id === undefined) return undefined;
  return type === 'Organization' && institutions.includes(id) ? `${id}/Organization/${id}` : `${base}/${type}/${id}`;
}

export function typesOf({ type, inner }: OracleRecord) {
  return { own: [type], inside: inner.map((one) => String(one.resourceType)) };
}

export function namesOf({ name, inner, institution }: OracleRecord) {
  return { own: [name], inside: inner.map((one) => `${institution}/${one.resourceType}/${one.id}`) };
}

export function profilesOf({ resource, inner }: OracleRecord) {
  const of = (one: Json) =>
    list((one.meta as Json | undefined)?.profile).map((text) => String(text).replace(/\|.*/, ''));
  return { own: of(resource), inside: inner.flatMap(of) };
}

export function labelsOf({ resource, inner }: OracleRecord) {
  const of = (one: Json) =>
    list((one.meta as Json | undefined)?.security).filter((label) => (label as Code).code) as Code[];
  return { own: of(resource), inside: inner.map(of) };
}

/** What the record is about. */
export function aboutOf({ type, resource }: OracleRecord): readonly Code[] {
  const concepts = list(resource[ABOUT[type] ?? '']) as Json[];
  return (concepts.flatMap((concept) => list(concept.coding)) as Code[]).filter(({ code, system }) => code && system);
}

/** Every code anywhere in it. */
export function mentionedIn(node: unknown): readonly Code[] {
  if (Array.isArray(node)) return node.flatMap(mentionedIn);
  if (typeof node !== 'object' || node === null) return [];
  const own = 'code' in node && typeof node.code === 'string' ? [node as Code] : [];
  return [...own, ...Object.entries(node).flatMap(([key, child]) => (key === 'meta' ? [] : mentionedIn(child)))];
}

/** The codes that a granular scope asks for. */
export function codesOf({ type, resource }: OracleRecord, parameter: string): readonly Code[] {
  if (parameter === '_security') return labelsOf({ resource, inner: [] } as unknown as OracleRecord).own;
  const element = type === 'MedicationRequest' || type !== 'DocumentReference' ? ABOUT[type] : undefined;
  const concepts = parameter === 'code' && type !== 'Encounter' && element ? list(resource[element]) : [];
  return (concepts as Json[]).flatMap((concept) => list(concept.coding) as Code[]).filter(({ code }) => code);
}

export function authorsOf({ type, resource, institution }: OracleRecord, node: OracleNode) {
  const references = list(resource[AUTHOR[type] ?? '']) as Json[];
  const told = references.map(({ reference }) => (reference === undefined ? undefined : String(reference)));
  const names = told.flatMap((one) => (one === undefined ? [] : [nameOf(one, institution, node)]));
  return { names, open: names.length === 0 || names.length < references.length };
}

export function datesOf({ type, resource }: OracleRecord): readonly [number, number] | undefined {
  const period = (type === 'Encounter' ? resource.period : resource.effectivePeriod) as Json | undefined;
  const moment = type === 'DocumentReference' ? resource.date : resource.effectiveDateTime;
  if (moment !== undefined) return span(String(moment));
  if (period === undefined) return undefined;
  return [
    period.start === undefined ? Number.NEGATIVE_INFINITY : span(String(period.start))[0],
    period.end === undefined ? Number.POSITIVE_INFINITY : span(String(period.end))[1],
  ];
}

/** From the first millisecond that a date or time may mean to the first one after. */
export function span(text: string): readonly [number, number] {
  const [date = '', time] = text.split('T');
  const [year = 0, month, day] = date.split('-').map(Number);
  if (time !== undefined) {
    const from = Date.parse(text);
    return [from, from + (time.includes('.') ? 1 : 1000)];
  }
  if (day !== undefined) return [Date.UTC(year, (month ?? 1) - 1, day), Date.UTC(year, (month ?? 1) - 1, day + 1)];
  if (month !== undefined) return [Date.UTC(year, month - 1), Date.UTC(year, month)];
  return [Date.UTC(year, 0), Date.UTC(year + 1, 0)];
}

export function list(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}
