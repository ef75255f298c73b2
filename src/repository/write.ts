import { invariant, MedSealError } from '../errors.ts';
import { type Faults, noFaults } from '../faults.ts';
import type { SortKeys } from '../sealing/blind-index/sort-keys.ts';
import type { Token } from '../sealing/blind-index/tokenizer.ts';
import type { Identities } from '../sealing/identity.ts';
import type { KeyService } from '../sealing/key-service.ts';
import { DatabaseError, violatesUnique } from '../storage/database/database-error.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import { type AccessRow, insertAccessEntries } from '../storage/trail/access.ts';
import { changeSearchParameter, type SearchParameterChange } from './custom-parameter-rows.ts';
import { changedMergings, type Merging, mergePatients } from './merges.ts';
import type { SealDrafts, SealedParts, SealingJob } from './seal-draft.ts';
import { createSharedCommits } from './shared-commits.ts';
import {
  type ConsentRow,
  insertIdempotency,
  insertVersions,
  lockPatients,
  replaceConsent,
  selectCommitted,
  type VersionRow,
} from './write-statements.ts';

/** One version to be written, validated and indexed; everything but its seal and its leaf. */
export interface VersionDraft {
  readonly institution: { readonly id: number; readonly name: string };
  readonly type: string;
  readonly id: string;
  readonly idToken: string;
  readonly version: number;
  readonly interaction: 'create' | 'update' | 'delete';
  /** RFC 3339 in UTC, milliseconds. */
  readonly at: string;
  /** The resource's exact text; undefined for a deletion. */
  readonly content: string | undefined;
  /** Pseudonyms, sorted; {@link UNKNOWN_SUBJECT} for a patient that cannot be determined. */
  readonly patients: readonly string[];
  readonly facets: readonly Token[];
  readonly tokens: readonly Token[];
  readonly traits: readonly Token[];
  readonly readers: readonly Token[];
  /** For `_sort`; sealed in the envelope. */
  readonly sortKeys: SortKeys;
  readonly contentToken: string | undefined;
  /** Leaf hash of the version before. */
  readonly previous: Buffer | undefined;
  /** For a Consent: the rules that it now stands for. */
  readonly consent?: ConsentChange;
  /** Of the institution's custom search parameters: the revision of the set that the tokens were made by; 0 when absent. */
  readonly indexedBy?: number;
  /** For a SearchParameter: whether it is in force from now on. */
  readonly searchParameter?: SearchParameterChange;
  /** For a Patient that is not deleted: whom it replaces or is replaced by, as pseudonyms. */
  readonly merges?: readonly string[];
}

export interface ConsentChange {
  readonly patient: string | undefined;
  /** False for one that is deleted. */
  readonly present: boolean;
  readonly rules: readonly ConsentRow[];
  /** What the ledger is told; nothing where that is already known, as in a rebuild. */
  readonly entry?: ConsentLedgerEntry;
}

/** Digests in hexadecimal; times RFC 3339, undefined where the period is open. */
export interface ConsentLedgerEntry {
  readonly active: boolean;
  readonly freshKey: string;
  readonly grantees: readonly string[];
  readonly from: string | undefined;
  readonly until: string | undefined;
}

/** Something that was true when the write was planned and must still be so, under a lock, when it is done. */
export interface Guard {
  /** Writers that could undo it take the same lock. */
  readonly lock: Token;
  holds(sql: Sql): Promise<boolean>;
}

export interface IdempotencyRecord {
  readonly institution: number;
  readonly keyToken: string;
  readonly requestToken: string;
  /** The sealed answer to replay. */
  readonly response: string;
  readonly at: string;
}

export interface WriteRequest {
  readonly author: string;
  readonly drafts: readonly VersionDraft[];
  readonly guards?: readonly Guard[];
  /** Called when everything is sealed and before anything is written; what it returns is stored along. */
  readonly beforeCommit?: (written: readonly WrittenVersion[]) => Promise<StoredAlong>;
}

/** What the transaction stores beside the versions. */
export interface StoredAlong {
  readonly idempotency?: IdempotencyRecord | undefined;
  /** The request's entries of the access trail. */
  readonly access: readonly AccessRow[];
}

export interface WrittenVersion {
  readonly draft: VersionDraft;
  readonly cid: string | undefined;
  readonly leafHash: Buffer;
}

export interface VersionWriter {
  /**
   * The one write transaction: versions, wrapped keys, ciphertext, tokens, leaves, consent rules, idempotency and the
   * request's access entries, all or nothing, durable when it resolves (DESIGN §9).
   *
   * @throws MedSealError `version-conflict` when another writer was first or a guard no longer holds: plan again
   */
  write(request: WriteRequest): Promise<readonly WrittenVersion[]>;
}

/** Stands among a record's patients for one that cannot be determined; nobody can consent for it. */
export const UNKNOWN_SUBJECT = '00000000-0000-0000-0000-000000000000';

export interface VersionWriterOptions {
  readonly database: Database;
  readonly keys: KeyService;
  readonly identities: Identities;
  readonly seal: SealDrafts;
  readonly faults: Faults;
  /** Told after each commit, so that the sequencer need not wait for its timer. */
  readonly onCommit?: () => void;
}

/** Rows that share a commit at most, and transactions at once: a large Bundle is a transaction of its own. */
const SHARED_ROWS = 400;
const CONCURRENT_COMMITS = 2;

const NOTHING: StoredAlong = { access: [] };

/** One request's part of a transaction. */
interface Job {
  readonly rows: readonly VersionRow[];
  readonly along: StoredAlong;
  readonly mergings: readonly Merging[];
}

export function createVersionWriter(options: VersionWriterOptions): VersionWriter {
  const { database, faults } = options;
  const shared = createSharedCommits<Job>({
    together: (jobs) => commit(jobs, []),
    sizeOf: (job) => job.rows.length,
    maxSize: SHARED_ROWS,
    concurrency: CONCURRENT_COMMITS,
  });

  async function commit(jobs: readonly Job[], guards: readonly Guard[]): Promise<void> {
    try {
      await database.transaction('writer', (sql) => writeAll(sql, jobs, guards), {
        // A drill dies before COMMIT is sent, and what guards find decides what is.
        pipelined: guards.length === 0 && faults === noFaults,
      });
    } catch (error) {
      if (!(error instanceof DatabaseError) || !error.outcomeUnknown) throw error;
      if (
        !(await selectCommitted(
          database,
          jobs.flatMap((job) => job.rows),
        ))
      )
        throw error;
    }
  }

  async function writeAll(sql: Sql, jobs: readonly Job[], guards: readonly Guard[]): Promise<void> {
    const rows = jobs.flatMap((job) => job.rows);
    const drafts = rows.map((row) => row.draft);
    const changes = consentChanges(drafts);
    const exclusive = changes.map((change) => change.patient).filter((patient) => patient !== undefined);
    const mergings = jobs.flatMap((job) => job.mergings);
    const locked = lockPatients(sql, { shared: patientsOf(drafts), exclusive, mergings, guards });
    for (const guard of guards) {
      await locked;
      if (await guard.holds(sql)) continue;
      throw new MedSealError('version-conflict', 'A condition of the write no longer holds');
    }
    const statements: Promise<unknown>[] = [locked, insertVersions(sql, rows)];
    for (const merging of mergings) statements.push(mergePatients(sql, merging));
    for (const change of changes) statements.push(replaceConsent(sql, change.draft, change));
    statements.push(...changeSearchParameters(sql, drafts));
    for (const { along } of jobs) {
      if (along.idempotency !== undefined) statements.push(insertIdempotency(sql, along.idempotency));
    }
    const access = jobs.flatMap((job) => job.along.access);
    if (access.length > 0) statements.push(insertAccessEntries(sql, access));
    await faults.at('write-inside-transaction');
    if (jobs.some((job) => job.rows.length > 2)) await faults.at('bundle-middle');
    await Promise.all(statements);
    await faults.at('write-before-commit');
  }

  return {
    async write({ drafts, author, guards = [], beforeCommit }) {
      const rows = await sealAll(drafts, author, options);
      const written = rows.map(({ draft, cid, leafHash }) => ({ draft, cid, leafHash }));
      const mergings = await changedMergings(database, drafts);
      const job: Job = { rows, along: (await beforeCommit?.(written)) ?? NOTHING, mergings };
      // What locks alone would hold up everybody who shared its commit.
      const alone =
        guards.length > 0 ||
        consentChanges(drafts).length > 0 ||
        mergings.length > 0 ||
        drafts.some(({ searchParameter }) => searchParameter !== undefined);
      try {
        await (alone ? commit([job], guards) : shared.commit(job));
      } catch (error) {
        if (!violatesUnique(error, 'resource_version_id_token_version_key')) throw error;
        throw new MedSealError('version-conflict', 'Another write of the same resource was first', { cause: error });
      }
      await faults.at('write-after-commit');
      options.onCommit?.();
      return written;
    },
  };
}

function consentChanges(
  drafts: readonly VersionDraft[],
): readonly (ConsentChange & { readonly draft: VersionDraft })[] {
  return drafts.flatMap((draft) => (draft.consent === undefined ? [] : [{ draft, ...draft.consent }]));
}

function changeSearchParameters(sql: Sql, drafts: readonly VersionDraft[]): readonly Promise<unknown>[] {
  return drafts.flatMap((draft) => {
    const { searchParameter, institution } = draft;
    return searchParameter === undefined ? [] : [changeSearchParameter(sql, institution.id, draft, searchParameter)];
  });
}

type SealedRow = VersionRow & { readonly cid: string | undefined };

async function sealAll(
  drafts: readonly VersionDraft[],
  author: string,
  { keys, identities, seal }: VersionWriterOptions,
): Promise<readonly SealedRow[]> {
  const jobs = await Promise.all(
    drafts.map(async (draft): Promise<SealingJob> => {
      invariant(draft.version > 0, 'versions are counted from 1');
      const institution = draft.institution.name;
      const subjects = sealingSubjects(draft.patients, institution, identities);
      const undetermined = draft.patients.includes(UNKNOWN_SUBJECT);
      const { type, id, idToken, version, interaction, at, sortKeys, content, previous } = draft;
      const about = { institution, type, id, idToken, version, interaction, at, author, subjects, undetermined };
      return { facts: { ...about, sortKeys, content, previous }, wrapping: await keys.wrappingKey(subjects) };
    }),
  );
  const parts = await seal(jobs);
  return drafts.map((draft, index) => ({ draft, ...(parts[index] as SealedParts) }));
}

/** Whose KEKs a record is sealed under: its patients', or the institution's where there is none. */
export function sealingSubjects(
  patients: readonly string[],
  institution: string,
  identities: Identities,
): readonly string[] {
  const known = patients.filter((patient) => patient !== UNKNOWN_SUBJECT);
  return known.length > 0 ? known : [identities.institutionSubject(institution)];
}

function patientsOf(drafts: readonly VersionDraft[]): readonly string[] {
  const patients = new Set(drafts.flatMap((draft) => draft.patients));
  patients.delete(UNKNOWN_SUBJECT);
  return [...patients].sort();
}
