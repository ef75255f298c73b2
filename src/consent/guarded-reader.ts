import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Names } from '../repository/names.ts';
import type {
  HistoryPlan,
  PermittedReader,
  PermittedRow,
  Position,
  PrincipalSettings,
  SearchPlan,
  SortRow,
} from '../repository/permitted.ts';
import type { OpenedRecord, RecordOpener } from '../repository/records.ts';
import { UNKNOWN_SUBJECT } from '../repository/write.ts';
import type { RequestContext, ScopeAction } from '../request-context.ts';
import type { SortKeys } from '../sealing/blind-index/sort-keys.ts';
import type { LeafSecrets } from '../sealing/version.ts';
import type { ConsentStore } from './consent-store.ts';
import { type AccessRequest, type Decision, decide } from './decide.ts';
import { UNKNOWN_PATIENT } from './facts.ts';
import { mergedPolicies } from './merges.ts';
import { afterOthers, patiently } from './patiently.ts';
import type { PrincipalResolver } from './principal.ts';
import type { FactsReader } from './record-facts.ts';
import { coversSome } from './scope-types.ts';

/**
 * The policy enforcement point for reading: everything that leaves the server as a record leaves through here. The
 * views have decided once when a row arrives; here it is opened and decided again, and taken down for the trail.
 */
export interface GuardedReader {
  /** @throws MedSealError `forbidden` from the scopes alone, `not-found`, `gone` */
  read(context: RequestContext, type: string, id: string): Promise<PermittedRecord>;
  /**
   * @param options with `deletions`, a version that is a deletion is answered as such instead of `gone`
   * @throws MedSealError `forbidden`, `not-found`, `gone`
   */
  readVersion(
    context: RequestContext,
    type: string,
    id: string,
    version: number,
    options?: { readonly deletions: boolean },
  ): Promise<PermittedRecord>;
  /** Newest first. Deletions have no content. Ends early once there are more than MAX_PAGE_BYTES of content. */
  history(context: RequestContext, plan: HistoryPlan, type: string | undefined): Promise<readonly PermittedRecord[]>;
  search(context: RequestContext, type: string): GuardedSearch;
  /** For evidence of what has been permitted. @throws MedSealError `sealed-content-damaged` */
  leafSecrets(record: PermittedRecord): Promise<LeafSecrets>;
}

/** One search by one principal; every call decides anew on the same instant. */
export interface GuardedSearch {
  page(
    plan: SearchPlan,
    page: { readonly limit: number; readonly descending: boolean; readonly beyond: Position | undefined },
  ): Promise<readonly PermittedRow[]>;
  sortRows(plan: SearchPlan, limit: number): Promise<readonly SortRow[]>;
  rows(versionIds: readonly bigint[]): Promise<readonly PermittedRow[]>;
  count(plan: SearchPlan): Promise<number>;
  /** Loads what opening these needs, all at once and not for each; `open` and `sortKeys` do as well without. */
  ahead(rows: readonly (Pick<PermittedRow, 'envelope'> & Partial<Pick<PermittedRow, 'consents'>>)[]): Promise<void>;
  /** Opens and decides again; undefined when the second lock denies. Only what is shown belongs in the journal. */
  open(row: PermittedRow): Promise<PermittedRecord | undefined>;
  shown(record: PermittedRecord): void;
  sortKeys(row: SortRow): Promise<SortKeys>;
}

/** How much content one page holds, give or take one record: what is shown at once lies in memory at once. */
export const MAX_PAGE_BYTES = 8 * 1024 * 1024;

export interface PermittedRecord extends OpenedRecord {
  /** Parsed content; undefined for a deletion. */
  readonly resource: Resource | undefined;
  /** `{institution}/Patient/{id}`; none for a deletion. */
  readonly patients: readonly string[];
}

export interface GuardedReaderOptions {
  readonly reader: PermittedReader;
  readonly opener: RecordOpener;
  readonly consents: ConsentStore;
  readonly principals: PrincipalResolver;
  readonly facts: FactsReader;
  readonly names: Names;
  readonly logger: Logger;
  /** Counts disagreements of the two locks. */
  readonly onDisagreement?: () => void;
}

export function createGuardedReader(options: GuardedReaderOptions): GuardedReader {
  const { reader, opener, consents, principals, facts, names, logger } = options;

  const prepare = (context: RequestContext, scope: ScopeAction): readonly [AccessRequest, PrincipalSettings] => {
    const request = principals.accessRequest(context, 'read', scope);
    return [request, principals.settings(context, request)];
  };

  async function secondLock(request: AccessRequest, row: PermittedRow): Promise<PermittedRecord | undefined> {
    const opened = await opener.open(row);
    const resource =
      opened.content === undefined ? undefined : (JSON.parse(opened.content.toString('utf8')) as Resource);
    if (resource === undefined) return { ...opened, resource, patients: [] };
    const record = facts.read(resource, opened.institution);
    const stored = row.consents.length === 0 ? [] : await consents.load(row.consents);
    const policies = mergedPolicies(stored, row.merges, record.patients, names);
    const decision = decide(request, record, policies);
    const { patients } = record;
    if (decision.permit && samePatients(patients, row.patients)) return { ...opened, resource, patients };
    return disagree(row, decision);
  }

  async function loadAhead(rows: Parameters<GuardedSearch['ahead']>[0]): Promise<void> {
    if (rows.length < 2) return;
    await opener.loadKeys(rows);
    // Consents are sealed under the keys of those whose they are.
    const consented = new Set(rows.flatMap((row) => row.consents ?? []));
    if (consented.size > 1) await consents.load([...consented]);
  }

  function samePatients(told: readonly string[], stored: readonly string[]): boolean {
    if (told.length !== stored.length) return false;
    return told.every((name) => stored.includes(name === UNKNOWN_PATIENT ? UNKNOWN_SUBJECT : names.idToken(name)));
  }

  /** An error of ours or a tampered database: denied as if there were nothing, and loud. */
  function disagree(row: PermittedRow, decision: Decision): undefined {
    options.onDisagreement?.();
    const { basis, by } = decision;
    logger.error(
      { code: 'locks-disagree', versionRow: row.versionId.toString(), basis, consentVersion: by?.version },
      'the database permitted what the server denies',
    );
    return undefined;
  }

  /** The content that a deletion was the end of decides who may learn of the deletion. */
  async function lastContentPermitted(request: AccessRequest, settings: PrincipalSettings, row: PermittedRow) {
    const last = await reader.version(settings, row.idToken, row.version - 1);
    return last !== undefined && (await secondLock(request, last)) !== undefined;
  }

  async function ofHistory(request: AccessRequest, settings: PrincipalSettings, row: PermittedRow) {
    if (row.interaction === 'delete' && !(await lastContentPermitted(request, settings, row))) return undefined;
    return secondLock(request, row);
  }

  async function admit(
    context: RequestContext,
    request: AccessRequest,
    settings: PrincipalSettings,
    row: PermittedRow | undefined,
    deletions = false,
  ): Promise<PermittedRecord> {
    if (row === undefined) throw notFound();
    if (row.interaction === 'delete') {
      if (!(await lastContentPermitted(request, settings, row))) throw notFound();
      if (!deletions) throw new MedSealError('gone', 'The resource was deleted');
    }
    const record = await secondLock(request, row);
    if (record === undefined) throw notFound();
    takeDown(context, record);
    return record;
  }

  function idTokenOf(context: RequestContext, type: string, id: string): string {
    if (context.base.kind === 'union') throw notFound();
    return names.idToken(names.name(context.base.institution, type, id));
  }

  return {
    leafSecrets: ({ row }) => opener.leafSecrets(row),
    async read(context, type, id) {
      requireScope(context, type, 'r');
      const [request, settings] = prepare(context, 'r');
      const { row, instant } = await reader.current(settings, idTokenOf(context, type, id));
      // Both locks decide at one instant.
      return admit(context, { ...request, instant }, { ...settings, instant }, row);
    },
    async readVersion(context, type, id, version, { deletions } = { deletions: false }) {
      requireScope(context, type, 'r');
      const [request, settings] = prepare(context, 'r');
      const row = await reader.version(settings, idTokenOf(context, type, id), version);
      return admit(context, request, settings, row, deletions);
    },
    async history(context, plan, type) {
      // SMART has the history of one resource under `r`, that of a type or of everything under `s`.
      const action = plan.idToken === undefined ? 's' : 'r';
      if (type !== undefined) requireScope(context, type, action);
      const [request, settings] = prepare(context, action);
      const records: PermittedRecord[] = [];
      let room = MAX_PAGE_BYTES;
      for (const row of await patiently(context, settings, (within) => reader.history(within, plan))) {
        if (room < 0) break;
        const record = await afterOthers(context, () => ofHistory(request, settings, row));
        if (record === undefined) continue;
        takeDown(context, record);
        records.push(record);
        room -= record.content?.length ?? 0;
      }
      return records;
    },
    search(context, type) {
      requireScope(context, type, 's');
      const [request, settings] = prepare(context, 's');
      const asking = <T>(ask: (settings: PrincipalSettings) => Promise<T>) => patiently(context, settings, ask);
      return {
        page: (plan, page) => asking((within) => reader.search(within, plan, page)),
        sortRows: (plan, limit) => asking((within) => reader.sortRows(within, plan, limit)),
        rows: (versionIds) => asking((within) => reader.rows(within, versionIds)),
        count: (plan) => asking((within) => reader.count(within, plan)),
        ahead: (rows) => afterOthers(context, () => loadAhead(rows)),
        open: (row) => afterOthers(context, () => secondLock(request, row)),
        shown: (record) => takeDown(context, record),
        sortKeys: (row) => afterOthers(context, () => opener.sortKeys(row)),
      };
    },
  };
}

function takeDown(context: RequestContext, { row, institution, id, patients }: PermittedRecord): void {
  context.journal.add({
    institution: row.institution,
    name: `${institution}/${row.type}/${id}/_history/${row.version}`,
    leafHash: row.leafHash,
    patients: patients.filter((patient) => patient !== UNKNOWN_PATIENT),
  });
}

/** From the token alone, so that it tells nothing of what is stored. */
export function requireScope(context: RequestContext, type: string, action: ScopeAction): void {
  if (hasScope(context, type, action)) return;
  throw new MedSealError('forbidden', `The token has no scope for this interaction with ${type}`);
}

export function hasScope({ principal }: RequestContext, type: string, action: ScopeAction): boolean {
  return coversSome(principal.scopes, action, type);
}

/** One text for what is not there and for what is not to be seen. */
export function notFound(): MedSealError {
  return new MedSealError('not-found', 'There is no such resource, or it may not be read');
}
