import { invariant, MedSealError } from '../errors.ts';
import type { Faults } from '../faults.ts';
import type { SortKeys } from '../sealing/blind-index/sort-keys.ts';
import type { Token } from '../sealing/blind-index/tokenizer.ts';
import type { Identities } from '../sealing/identity.ts';
import type { KeyService } from '../sealing/key-service.ts';
import { type SealedVersion, sealVersion } from '../sealing/version.ts';
import { DatabaseError } from '../storage/database/database-error.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import { hashOfLeaf, versionLeaf } from '../trail/leaf.ts';
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
  /** The resource's exact bytes; undefined for a deletion. */
  readonly content: Buffer | undefined;
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
}

export interface ConsentChange {
  readonly patient: string | undefined;
  /** False for one that is deleted. */
  readonly present: boolean;
  readonly rules: readonly ConsentRow[];
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
  readonly beforeCommit?: (written: readonly WrittenVersion[]) => Promise<IdempotencyRecord | undefined>;
}

export interface WrittenVersion {
  readonly draft: VersionDraft;
  readonly cid: string | undefined;
  readonly leafHash: Buffer;
}

export interface VersionWriter {
  /**
   * The one write transaction: versions, wrapped keys, ciphertext, tokens, leaves, consent rules and idempotency, all or
   * nothing, durable when it resolves (DESIGN §9).
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
  readonly random: (length: number) => Buffer;
  readonly faults: Faults;
  /** Told after each commit, so that the sequencer need not wait for its timer. */
  readonly onCommit?: () => void;
}

export function createVersionWriter(options: VersionWriterOptions): VersionWriter {
  const { database, faults } = options;

  async function commit(request: WriteRequest, rows: readonly VersionRow[], record: IdempotencyRecord | undefined) {
    try {
      await database.transaction('writer', (sql) => writeAll(sql, request, rows, record));
      await faults.at('write-commit-unknown');
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (error.constraint === 'resource_version_id_token_version_key') {
        throw new MedSealError('version-conflict', 'Another write of the same resource was first', { cause: error });
      }
      if (!error.outcomeUnknown || !(await selectCommitted(database, rows))) throw error;
    }
  }

  async function writeAll(
    sql: Sql,
    request: WriteRequest,
    rows: readonly VersionRow[],
    record: IdempotencyRecord | undefined,
  ): Promise<void> {
    const changes = request.drafts.flatMap((draft) =>
      draft.consent === undefined ? [] : [{ draft, ...draft.consent }],
    );
    const exclusive = changes.map((change) => change.patient).filter((patient) => patient !== undefined);
    const locked = lockPatients(sql, patientsOf(request.drafts), exclusive, request.guards ?? []);
    if (request.guards !== undefined) {
      await locked;
      for (const guard of request.guards) {
        if (await guard.holds(sql)) continue;
        throw new MedSealError('version-conflict', 'A condition of the write no longer holds');
      }
    }
    const statements: Promise<unknown>[] = [locked, insertVersions(sql, rows)];
    await faults.at('write-inside-transaction');
    for (const change of changes) statements.push(replaceConsent(sql, change.draft, change));
    if (record !== undefined) statements.push(insertIdempotency(sql, record));
    await Promise.all(statements);
    await faults.at('write-before-commit');
  }

  return {
    async write(request) {
      const sealed = await Promise.all(request.drafts.map((draft) => sealDraft(draft, request.author, options)));
      const written = sealed.map(({ draft, version, leaf }) => ({ draft, cid: version.cid, leafHash: leaf }));
      const record = await request.beforeCommit?.(written);
      await commit(request, sealed.map(rowOf), record);
      await faults.at('write-after-commit');
      options.onCommit?.();
      return written;
    },
  };
}

interface SealedDraft {
  readonly draft: VersionDraft;
  readonly version: SealedVersion;
  readonly leaf: Buffer;
}

async function sealDraft(draft: VersionDraft, author: string, options: VersionWriterOptions): Promise<SealedDraft> {
  const { institution, type, id, idToken, version, interaction, at, content } = draft;
  const subjects = sealingSubjects(draft.patients, institution.name, options.identities);
  const wrapping = await options.keys.wrappingKey(subjects);
  const context = { institution: institution.name, type, idToken, version, subjects };
  const sealed = sealVersion(context, { id, author, at, sort: draft.sortKeys }, content, wrapping, options.random);
  const facts = { interaction, institution: institution.name, type, id, version, content, at, author };
  const leaf = versionLeaf({ ...facts, cid: sealed.cid, previous: draft.previous }, sealed.salt);
  return { draft, version: sealed, leaf: hashOfLeaf(leaf) };
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

function rowOf({ draft, version, leaf }: SealedDraft): VersionRow {
  invariant(draft.version > 0, 'versions are counted from 1');
  return { draft, sealed: version.sealed, digest: version.digest, envelope: version.envelope, leafHash: leaf };
}
