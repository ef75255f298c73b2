import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { Institution, InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { Guard, IdempotencyRecord, StoredAlong, VersionWriter, WrittenVersion } from '../repository/write.ts';
import type { JournalEntry, RequestContext, ScopeAction } from '../request-context.ts';
import type { AccessRecorder } from './access-recorder.ts';
import type { ConsentAuthors } from './consent-author.ts';
import { coveredByScope } from './decide.ts';
import type { Describer } from './describe.ts';
import type { Change, Drafter, Prepared } from './drafts.ts';
import { UNKNOWN_PATIENT } from './facts.ts';
import { notFound, requireScope } from './guarded-reader.ts';
import type { LabelKeeper } from './label-keeper.ts';
import { authorOf, isPersonal, type PrincipalResolver } from './principal.ts';
import type { FactsReader } from './record-facts.ts';
import { covers } from './scope-types.ts';
import type { SearchParameterKeeper } from './search-parameter-keeper.ts';
import { withoutVersion } from './server-owned.ts';

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
  /** Called when everything is sealed and before anything is written. */
  readonly beforeCommit?: (written: readonly Written[]) => Promise<Promised>;
}

/** What is known of a request's answer before its write is committed. */
export interface Promised {
  /** To be given again. */
  readonly idempotency?: IdempotencyRecord | undefined;
  /** Of a request that does nothing else afterwards: its entries of the access trail are stored with what it wrote. */
  readonly status?: number | undefined;
}

export interface GuardedWriterOptions {
  readonly writer: VersionWriter;
  readonly drafter: Drafter;
  readonly describer: Describer;
  readonly institutions: InstitutionDirectory;
  readonly names: Names;
  readonly facts: FactsReader;
  readonly principals: PrincipalResolver;
  readonly authors: ConsentAuthors;
  readonly labels: LabelKeeper;
  readonly searchParameters: SearchParameterKeeper;
  readonly recorder: Pick<AccessRecorder, 'entries'>;
}

export function createGuardedWriter(options: GuardedWriterOptions): GuardedWriter {
  const { writer, drafter, describer, institutions, names } = options;

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

  /**
   * A granular scope lets write what it covers, before and after. What is already there and not covered is as good as
   * absent: the token does not tell its holder what it is about.
   */
  async function requireCovered(context: RequestContext, change: Change, institution: Institution): Promise<void> {
    const request = options.principals.accessRequest(context, 'write', ACTIONS[change.interaction]);
    if (covers(request.types, change.type)) return;
    const isCovered = (resource: Resource) => coveredByScope(request, options.facts.read(resource, institution.name));
    const { state } = change;
    if (state !== undefined && !state.deleted && !isCovered(await drafter.currentContent(state))) throw notFound();
    if (change.interaction === 'delete' || isCovered({ ...change.resource, id: change.id })) return;
    throw new MedSealError('forbidden', 'The token has no scope for a resource with this content');
  }

  async function requireLabels(context: RequestContext, change: Change, { name }: Institution): Promise<void> {
    const { state } = change;
    if (change.interaction === 'delete' || state === undefined) return;
    const after = { ...change.resource, id: change.id };
    await options.labels.require(context, {
      institution: name,
      state,
      after,
      before: () => drafter.currentContent(state),
    });
  }

  async function requireConsentAuthor(context: RequestContext, change: Change, institution: Institution) {
    const { interaction, state } = change;
    return options.authors.require(context, {
      institution,
      interaction,
      state,
      after: change.interaction === 'delete' ? undefined : { ...change.resource, id: change.id },
      before: state === undefined || state.deleted ? undefined : await drafter.currentContent(state),
    });
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
      const { prepared, provenance } = await drafter.prepare(changes, institution, principal, at);
      const own = (all: readonly WrittenVersion[]): readonly Written[] =>
        changes.map((change, index) => ({ ...(all[index] as WrittenVersion), change }));
      let shown: readonly JournalEntry[] = [];
      let status: number | undefined;
      const along = async (all: readonly WrittenVersion[]): Promise<StoredAlong> => {
        shown = prepared.map((one, index) => journalEntry(one, all[index] as WrittenVersion));
        const promised = (await beforeCommit?.(own(all))) ?? {};
        status = promised.status;
        if (status === undefined) return { idempotency: promised.idempotency, access: [] };
        const access = await options.recorder.entries(context, status, [...journal.entries, ...shown]);
        return { idempotency: promised.idempotency, access };
      };
      const written = await writer.write({
        author: authorOf(principal),
        drafts: [...prepared, ...provenance].map((one) => one.draft),
        guards: [...guards, ...needed],
        beforeCommit: along,
      });
      for (const entry of shown) journal.add(entry);
      journal.recordedAs = status;
      await options.searchParameters.written(institution, changes);
      return own(written);
    },
  };
}

function journalEntry({ draft, patients }: Prepared, { leafHash }: WrittenVersion): JournalEntry {
  const { institution, type, id, version } = draft;
  const name = `${institution.name}/${type}/${id}/_history/${version}`;
  const known = patients.filter((patient) => patient !== UNKNOWN_PATIENT);
  return { institution: institution.id, name, leafHash, patients: known };
}

const ACTIONS = { create: 'c', update: 'u', delete: 'd' } as const;
