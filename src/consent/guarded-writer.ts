import { randomUUID } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { Institution, InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import type { Guard, IdempotencyRecord, VersionDraft, VersionWriter, WrittenVersion } from '../repository/write.ts';
import type { Principal, RequestContext, ScopeAction } from '../request-context.ts';
import { type ConsentAuthors, isWitnessed } from './consent-author.ts';
import { coveredByScope } from './decide.ts';
import type { Describer } from './describe.ts';
import { UNKNOWN_PATIENT } from './facts.ts';
import { notFound, requireScope } from './guarded-reader.ts';
import type { LabelKeeper } from './label-keeper.ts';
import { authorOf, isPersonal, type PrincipalResolver } from './principal.ts';
import { type ProvenanceTarget, provenanceOf } from './provenance.ts';
import type { FactsReader } from './record-facts.ts';
import { covers } from './scope-types.ts';
import type { DescribeAll } from './scribe/elsewhere.ts';
import type { Described } from './scribe/protocol.ts';
import type { SearchParameterKeeper } from './search-parameter-keeper.ts';
import { withoutVersion, withVersion } from './server-owned.ts';

/** One resource to be created, updated or deleted; validated, its references resolved. */
export type Change = CreateOrUpdate | Delete;

interface CreateOrUpdate {
  readonly interaction: 'create' | 'update';
  readonly type: string;
  readonly id: string;
  /** As sent; id and server-owned meta are set here. */
  readonly resource: Resource;
  /** The version that this one follows; undefined for a new resource. */
  readonly state: CurrentState | undefined;
}

interface Delete {
  readonly interaction: 'delete';
  readonly type: string;
  readonly id: string;
  readonly state: CurrentState;
}

/** What was written of one change. */
export interface Written extends WrittenVersion {
  readonly change: Change;
}

/** The policy enforcement point for writing. */
export interface GuardedWriter {
  /** Who may write this type here at all, from the token alone. @throws MedSealError `forbidden` */
  authorise(context: RequestContext, type: string, action: ScopeAction): Institution;
  /** Whether an update would change nothing: a repeated PUT makes no new version. */
  isRepeated(institution: Institution, resource: Resource, id: string, state: CurrentState): boolean;
  /**
   * Writes the changes and their Provenance in one transaction.
   *
   * @throws MedSealError `forbidden`, `unenforceable-consent`, `version-conflict`
   */
  write(context: RequestContext, changes: readonly Change[], options?: WriteOptions): Promise<readonly Written[]>;
}

export interface WriteOptions {
  readonly guards?: readonly Guard[];
  /** See WriteRequest. */
  readonly beforeCommit?: (written: readonly Written[]) => Promise<IdempotencyRecord | undefined>;
}

export interface GuardedWriterOptions {
  readonly writer: VersionWriter;
  readonly describer: Describer;
  readonly describeAll: DescribeAll;
  readonly institutions: InstitutionDirectory;
  readonly names: Names;
  readonly loader: VersionLoader;
  readonly opener: RecordOpener;
  readonly facts: FactsReader;
  readonly principals: PrincipalResolver;
  readonly authors: ConsentAuthors;
  readonly labels: LabelKeeper;
  readonly searchParameters: SearchParameterKeeper;
}

/** A version to be written, and the names of its patients, which the draft holds as pseudonyms only. */
interface Prepared {
  readonly draft: VersionDraft;
  readonly patients: readonly string[];
}

interface PreparedChange extends Prepared {
  readonly witnessed: boolean;
}

export function createGuardedWriter(options: GuardedWriterOptions): GuardedWriter {
  const { writer, describer, institutions, names } = options;

  function authorise(context: RequestContext, type: string, action: ScopeAction): Institution {
    requireScope(context, type, action);
    const { base, principal } = context;
    const institution = base.kind === 'institution' ? institutions.find(base.institution) : undefined;
    if (institution === undefined || principal.institution !== institution.name) {
      throw new MedSealError('forbidden', 'Only the institution itself writes at its base');
    }
    if (isPersonal(principal) && type !== 'Consent') {
      throw new MedSealError('forbidden', 'A patient writes Consents only');
    }
    return institution;
  }

  function header(change: Change, institution: Institution, at: string) {
    const { interaction, type, id, state } = change;
    const name = names.name(institution.name, type, id);
    if (!name.startsWith(`${institution.name}/`)) {
      throw new MedSealError('forbidden', 'This id names another institution', { expression: `${type}.id` });
    }
    const idToken = names.idToken(name);
    const version = (state?.version ?? 0) + 1;
    // A version is never older than the one before, whatever a clock says.
    const time = state !== undefined && state.at > at ? state.at : at;
    const indexedBy = options.searchParameters.revision(institution);
    return { institution, type, id, idToken, version, interaction, at: time, previous: state?.leafHash, indexedBy };
  }

  /** In the order given. */
  async function prepareContents(changes: readonly CreateOrUpdate[], institution: Institution, at: string) {
    const items = changes.map((change) => {
      const draft = header(change, institution, at);
      const resource = withoutVersion(change.resource, change.id);
      const { idToken, version } = draft;
      return { draft, resource, text: JSON.stringify(resource), institution: institution.name, idToken, version };
    });
    const descriptions = await options.describeAll(items);
    return items.map(({ draft, text }, index): Prepared => {
      const { patientNames, ...description } = descriptions[index] as Described;
      const content = withVersion(text, draft.version, draft.at);
      return { draft: { ...draft, ...description, content }, patients: patientNames };
    });
  }

  /** `{}` of what is not there. */
  async function currentContent(state: CurrentState): Promise<Resource> {
    const [last] = await options.loader.versions([state.versionId]);
    const content = last === undefined ? undefined : (await options.opener.open(last)).content;
    return JSON.parse(content?.toString('utf8') ?? '{}') as Resource;
  }

  /**
   * A granular scope lets write what it covers, before and after. What is already there and not covered is as good as
   * absent: the token does not tell its holder what it is about.
   */
  async function requireCovered(context: RequestContext, change: Change, institution: Institution): Promise<void> {
    const request = options.principals.accessRequest(context, 'write', ACTIONS[change.interaction]);
    if (covers(request.types, change.type)) return;
    const isCovered = (resource: Resource) => coveredByScope(request, options.facts.read(resource, institution.name));
    const { state } = change;
    if (state !== undefined && !state.deleted && !isCovered(await currentContent(state))) throw notFound();
    if (change.interaction === 'delete' || isCovered({ ...change.resource, id: change.id })) return;
    throw new MedSealError('forbidden', 'The token has no scope for a resource with this content');
  }

  async function requireLabels(context: RequestContext, change: Change, { name }: Institution): Promise<void> {
    const { state } = change;
    if (change.interaction === 'delete' || state === undefined) return;
    const after = { ...change.resource, id: change.id };
    await options.labels.require(context, { institution: name, state, after, before: () => currentContent(state) });
  }

  async function requireConsentAuthor(context: RequestContext, change: Change, institution: Institution) {
    const { interaction, state } = change;
    return options.authors.require(context, {
      institution,
      interaction,
      state,
      after: change.interaction === 'delete' ? undefined : { ...change.resource, id: change.id },
      before: state === undefined || state.deleted ? undefined : await currentContent(state),
    });
  }

  /** A deletion keeps what decides who may learn of it; its index is emptied. */
  async function prepareDeletion(change: Delete, institution: Institution, at: string): Promise<Prepared> {
    const { state } = change;
    const resource = await currentContent(state);
    const draft: VersionDraft = {
      ...header(change, institution, at),
      content: undefined,
      contentToken: undefined,
      patients: state.patients,
      facets: state.facets.map(String),
      tokens: [],
      traits: [],
      readers: state.readers.map(String),
      sortKeys: {},
      ...(change.type === 'Consent'
        ? { consent: { patient: state.patients[0], present: false, rules: [], entry: ENDED } }
        : {}),
      ...(change.type === 'SearchParameter' ? { searchParameter: { active: undefined } } : {}),
    };
    return { draft, patients: options.facts.read(resource, institution.name).patients };
  }

  /** One Provenance per patient of what was written, and one for what belongs to no patient; none about Provenance. */
  async function prepareProvenance(
    prepared: readonly PreparedChange[],
    principal: Principal,
    institution: Institution,
    at: string,
  ): Promise<readonly Prepared[]> {
    const groups = new Map<string, ProvenanceTarget[]>();
    for (const { draft, patients, witnessed } of prepared) {
      if (draft.type === 'Provenance') continue;
      for (const patient of patients.length === 0 ? [UNKNOWN_PATIENT] : patients) {
        const targets = groups.get(patient) ?? [];
        targets.push({ ...draft, witnessed });
        groups.set(patient, targets);
      }
    }
    const changes = [...groups].map(([patient, targets]): CreateOrUpdate => {
      const id = randomUUID();
      // One who cannot be determined has no id.
      const [, , patientId] = patient.split('/');
      const resource = provenanceOf(id, patientId, targets, principal, at);
      return { interaction: 'create', type: 'Provenance', id, resource, state: undefined };
    });
    return prepareContents(changes, institution, at);
  }

  /** @returns the institution they all are written at, undefined where there is nothing to write, and what must still hold */
  async function admit(context: RequestContext, changes: readonly Change[]) {
    let institution: Institution | undefined;
    const guards: Guard[] = [];
    for (const change of changes) {
      institution = authorise(context, change.type, ACTIONS[change.interaction]);
      await requireCovered(context, change, institution);
      await requireLabels(context, change, institution);
      if (change.type === 'Consent') guards.push(...(await requireConsentAuthor(context, change, institution)));
    }
    if (institution !== undefined) guards.push(...(await options.searchParameters.require(institution, changes)));
    return { institution, guards };
  }

  /** In the order given. */
  async function prepareAll(changes: readonly Change[], institution: Institution, principal: Principal, at: string) {
    const written = changes.filter((change) => change.interaction !== 'delete');
    const contents = await prepareContents(written, institution, at);
    const prepared = new Map<Change, Prepared | undefined>(written.map((change, index) => [change, contents[index]]));
    for (const change of changes) {
      if (change.interaction === 'delete') prepared.set(change, await prepareDeletion(change, institution, at));
    }
    return changes.map((change) => ({
      ...(prepared.get(change) as Prepared),
      witnessed: change.interaction !== 'delete' && isEntered(principal, change.resource),
    }));
  }

  return {
    authorise,
    isRepeated(institution, resource, id, state) {
      if (state.deleted || state.contentToken === null) return false;
      const idToken = names.idToken(names.name(institution.name, resource.resourceType, id));
      const text = JSON.stringify(withoutVersion(resource, id));
      return describer.contentToken(idToken, text) === state.contentToken;
    },
    async write(context, changes, { guards = [], beforeCommit } = {}) {
      const { principal, journal } = context;
      const at = new Date(context.instant).toISOString();
      const { institution, guards: needed } = await admit(context, changes);
      if (institution === undefined) return [];
      const prepared = await prepareAll(changes, institution, principal, at);
      const provenance = await prepareProvenance(prepared, principal, institution, at);
      const own = (all: readonly WrittenVersion[]): readonly Written[] =>
        changes.map((change, index) => ({ ...(all[index] as WrittenVersion), change }));
      const written = await writer.write({
        author: authorOf(principal),
        drafts: [...prepared, ...provenance].map((one) => one.draft),
        guards: [...guards, ...needed],
        ...(beforeCommit === undefined ? {} : { beforeCommit: (all) => beforeCommit(own(all)) }),
      });
      await options.searchParameters.written(institution, changes);
      for (const [index, { draft, patients }] of prepared.entries()) {
        const { leafHash } = written[index] as WrittenVersion;
        const name = `${institution.name}/${draft.type}/${draft.id}/_history/${draft.version}`;
        const known = patients.filter((patient) => patient !== UNKNOWN_PATIENT);
        journal.add({ institution: institution.id, name, leafHash, patients: known });
      }
      return own(written);
    },
  };
}

/** A deletion ends a consent; the keys are those of what was there. */
const ENDED = { active: false, freshKey: '', grantees: [], from: undefined, until: undefined };

const ACTIONS = { create: 'c', update: 'u', delete: 'd' } as const;

/** Whether staff enter what a patient has consented to on paper. */
function isEntered(principal: Principal, resource: Resource): boolean {
  return !isPersonal(principal) && isWitnessed(resource);
}
