import type { Resource } from '@medplum/fhirtypes';
import type { Change } from '../../consent/drafts.ts';
import { MedSealError } from '../../errors.ts';
import { isId } from '../../fhir/references/reference.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { CurrentState, Match } from '../../repository/own-partition.ts';
import type { Guard } from '../../repository/write.ts';
import type { Services } from '../services.ts';
import { expressionOf, resourceExpression, type VersionMatch, type WriteEntry } from './entry.ts';
import { findOnly, nothingMeets, parseCondition } from './match.ts';
import { literalReferences, resolveReferences, type Targets } from './references.ts';

/** What becomes of one entry: a change to be written, or something that is there already. */
export type PlannedEntry =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'existing'; readonly type: string; readonly id: string; readonly version: number }
  | { readonly kind: 'absent' };

export interface WritePlan {
  readonly entries: readonly PlannedEntry[];
  readonly guards: readonly Guard[];
}

export type PlanServices = Pick<Services, 'own' | 'custom' | 'tokenizer' | 'sourcesOf' | 'names' | 'writer'>;

/** An entry with its identity settled. */
interface Identified {
  readonly entry: WriteEntry;
  readonly id: string;
  /** A match of its conditional create: nothing is written. */
  readonly existing?: Pick<Match, 'version'>;
  /** The version that met its condition, or that its content was made from. */
  readonly basedOn?: number | undefined;
}

/**
 * Works out what writing these entries together means, against the institution's partition as it is now. Nothing is
 * written; whoever was faster in between makes the write fail, and it is planned again.
 */
export async function planWrite(
  services: PlanServices,
  institution: Institution,
  entries: readonly WriteEntry[],
): Promise<WritePlan> {
  const guards: Guard[] = [];
  const identified: Identified[] = [];
  const creations: Creations = new Map();
  for (const entry of entries) identified.push(await identify(services, institution, entry, guards, creations));
  refuseOverlaps(identified);
  const targets = targetsOf(identified);
  const writing = identified.filter((one) => one.existing === undefined);
  await resolveReferences(
    services,
    institution,
    writing.map((one) => one.entry),
    targets,
  );
  if (institution.checkReferences) await requireTargets(services, institution, identified);
  const states = await currentStates(services, institution, writing);
  const planned = identified.map((one) => planEntry(services, institution, one, states));
  return { entries: planned, guards };
}

/** The ids of what these entries create under a condition: a second entry under the same one finds the first. */
type Creations = Map<string, string>;

async function identify(
  services: PlanServices,
  institution: Institution,
  entry: WriteEntry,
  guards: Guard[],
  creations: Creations,
): Promise<Identified> {
  const { type } = entry;
  if (entry.conditional !== undefined) return identifyConditional(services, institution, entry, guards);
  if (entry.method !== 'POST') return { entry, id: ownId(entry), basedOn: entry.basedOn };
  if (entry.ifNoneExist === undefined) return { entry, id: entry.newId };
  const expression = expressionOf(entry, 'request.ifNoneExist');
  const condition = parseCondition(services, institution, type, entry.ifNoneExist, expression);
  const existing = await findOnly(services, institution, condition, expression);
  if (existing !== undefined) return { entry, id: existing.id, existing };
  const first = creations.get(`${type}?${condition.text}`);
  if (first !== undefined) return { entry, id: first, existing: { version: 1 } };
  creations.set(`${type}?${condition.text}`, entry.newId);
  guards.push(nothingMeets(services, institution, condition));
  return { entry, id: entry.newId };
}

async function identifyConditional(
  services: PlanServices,
  institution: Institution,
  entry: WriteEntry,
  guards: Guard[],
): Promise<Identified> {
  const expression = expressionOf(entry, 'request.url');
  const condition = parseCondition(services, institution, entry.type, entry.conditional ?? [], expression);
  const match = await findOnly(services, institution, condition, expression);
  const given = entry.resource?.id;
  if (match !== undefined && given !== undefined && given !== match.id) {
    throw new MedSealError('invalid-id', 'The id in the resource is not that of the resource that matches', {
      expression: `${resourceExpression(entry)}.id`,
    });
  }
  if (match === undefined && entry.method !== 'DELETE') guards.push(nothingMeets(services, institution, condition));
  return { entry, id: match?.id ?? given ?? entry.newId, basedOn: match?.version };
}

/** The id of the URL, which a body must agree with. */
function ownId(entry: WriteEntry): string {
  const { id = '', resource } = entry;
  if (!isId(id))
    throw new MedSealError('invalid-id', 'This is not a valid resource id', { expression: expressionOf(entry, 'id') });
  if (entry.method === 'PUT' && resource?.id !== id) {
    throw new MedSealError('invalid-id', 'The resource must bear the id that it is put under', {
      expression: `${resourceExpression(entry)}.id`,
    });
  }
  return id;
}

/** By fullUrl, and by the new id that an earlier plan of the same write had given and rewritten references to. */
function targetsOf(identified: readonly Identified[]): Targets {
  const targets = new Map<string, string>();
  for (const { entry, id } of identified) {
    const target = `${entry.type}/${id}`;
    if (entry.fullUrl !== undefined) targets.set(entry.fullUrl, target);
    if (id !== entry.newId) targets.set(`${entry.type}/${entry.newId}`, target);
  }
  return targets;
}

/**
 * http://hl7.org/fhir/R4/http.html#trules: identities must not overlap, in whatever order the entries stand. What a
 * conditional create found may be updated, but not be deleted by the same transaction.
 */
function refuseOverlaps(identified: readonly Identified[]): void {
  const written = new Map<string, WriteEntry['method']>();
  const refuse = (entry: WriteEntry): never => {
    throw new MedSealError('invalid-bundle', 'Two entries of a transaction concern the same resource', {
      expression: expressionOf(entry, 'request.url'),
    });
  };
  for (const { entry, id, existing } of identified) {
    const name = `${entry.type}/${id}`;
    if (existing !== undefined) continue;
    if (written.has(name)) refuse(entry);
    written.set(name, entry.method);
  }
  for (const { entry, id, existing } of identified) {
    if (existing !== undefined && written.get(`${entry.type}/${id}`) === 'DELETE') refuse(entry);
  }
}

function idTokenOf({ names }: PlanServices, institution: Institution, type: string, id: string): string {
  return names.idToken(names.name(institution.name, type, id));
}

async function currentStates(
  services: PlanServices,
  institution: Institution,
  identified: readonly Identified[],
): Promise<ReadonlyMap<string, CurrentState>> {
  const addressed = identified.filter(({ entry }) => entry.method !== 'POST');
  return services.own.states(
    institution,
    addressed.map(({ entry, id }) => idTokenOf(services, institution, entry.type, id)),
  );
}

function planEntry(
  services: PlanServices,
  institution: Institution,
  { entry, id, existing, basedOn }: Identified,
  states: ReadonlyMap<string, CurrentState>,
): PlannedEntry {
  const { type, method, resource } = entry;
  if (existing !== undefined) return { kind: 'existing', type, id, version: existing.version };
  const state = states.get(idTokenOf(services, institution, type, id));
  requireMatch(entry, state);
  if (basedOn !== undefined && state?.version !== basedOn) {
    throw new MedSealError('version-conflict', 'The resource was changed at the same time');
  }
  if (method === 'DELETE') {
    if (state === undefined || state.deleted) return { kind: 'absent' };
    return { kind: 'change', change: { interaction: 'delete', type, id, state } };
  }
  const content = resource as Resource;
  if (method === 'POST')
    return { kind: 'change', change: { interaction: 'create', type, id, resource: content, state: undefined } };
  if (state !== undefined && services.writer.isRepeated(institution, content, id, state)) {
    return { kind: 'existing', type, id, version: state.version };
  }
  return { kind: 'change', change: { interaction: 'update', type, id, resource: content, state } };
}

/** http://hl7.org/fhir/R4/http.html#concurrency */
function requireMatch({ ifMatch, onlyCreate, expression }: WriteEntry, state: CurrentState | undefined): void {
  const present = state !== undefined && !state.deleted;
  if (onlyCreate && present) throw precondition('The resource exists already', expression);
  if (ifMatch !== undefined && !versionMatches(ifMatch, present ? state.version : undefined)) {
    throw precondition('The resource is not at the version that If-Match names', expression);
  }
}

function versionMatches(wanted: VersionMatch, version: number | undefined): boolean {
  return version !== undefined && (wanted === '*' || wanted.includes(version));
}

function precondition(message: string, expression: string): MedSealError {
  return new MedSealError('precondition-failed', message, expression === '' ? {} : { expression });
}

/** For institutions that want literal references checked: each must lead to a resource of this base that exists. */
async function requireTargets(
  services: PlanServices,
  institution: Institution,
  identified: readonly Identified[],
): Promise<void> {
  const own = new Set(identified.map(({ entry, id }) => `${entry.type}/${id}`));
  const references = identified
    .flatMap(({ entry }) => literalReferences(entry))
    .filter(({ target }) => !own.has(target));
  const tokens = new Map(
    references.map(({ target }) => {
      const [type = '', id = ''] = target.split('/');
      return [target, idTokenOf(services, institution, type, id)] as const;
    }),
  );
  const states = await services.own.states(institution, [...new Set(tokens.values())]);
  for (const { target, expression } of references) {
    const state = states.get(tokens.get(target) ?? '');
    if ((state !== undefined && !state.deleted) || namesInstitution(services, institution, target)) continue;
    throw new MedSealError('unresolved-reference', `${expression} refers to a resource that does not exist here`, {
      expression,
    });
  }
}

function namesInstitution({ names }: PlanServices, institution: Institution, target: string): boolean {
  const [type = '', id = ''] = target.split('/');
  const name = names.name(institution.name, type, id);
  return name === `${id}/Organization/${id}`;
}
