import { invariant, MedSealError } from '../../errors.ts';
import { changeSearchParameter } from '../../repository/custom-parameter-rows.ts';
import type { Institution } from '../../repository/institutions.ts';
import { mergePatients, mergingOf } from '../../repository/merges.ts';
import type { OwnPartition } from '../../repository/own-partition.ts';
import { insertVersions, replaceConsent, type VersionRow } from '../../repository/write-statements.ts';
import { violatesUnique } from '../../storage/database/database-error.ts';
import type { Database, Sql } from '../../storage/database/port.ts';
import { type LogKey, readTiles, writeTiles } from '../../storage/log/tiles.ts';
import { insertLeaves, selectSize } from '../../storage/trail/log.ts';
import {
  insertReplayedBatch,
  lockTrail,
  selectUnopened,
  selectWaiting,
  takeWaiting,
} from '../../storage/trail/replay.ts';
import { LOG_NUMBER } from '../../trail/leaf.ts';
import type { Manifest, ManifestEntry } from '../../trail/manifest.ts';
import { appendLeaves, edgeTiles, rootOf, treeState } from '../../trail/merkle/append.ts';
import type { PlacedAnchor } from './ledger-events.ts';
import type { EntryOpener, LogSoFar, Predecessor } from './open-entry.ts';

/** What one batch brought. */
export interface ReplayedCounts {
  /** Versions that were made again. */
  readonly versions: number;
  /** Leaves of versions that were here and had no number yet, or of access entries. */
  readonly waiting: number;
  /** Versions of which a key no longer exists: their leaves stand, they do not. */
  readonly keyless: number;
  /** Leaves of the access log of which the entries are gone. */
  readonly accessOnly: number;
}

/** Rows in one statement. */
const ROWS = 200;

export interface BatchReplayOptions {
  readonly database: Database;
  readonly own: OwnPartition;
  readonly opener: EntryOpener;
}

/**
 * Puts one batch into the database as the ledger anchors it: rows, leaves with the very same numbers, tiles, and the
 * batch; all or nothing. It must be the next one of its log.
 *
 * @throws MedSealError `sealed-content-damaged` when the content store does not hold what the ledger anchors;
 *   `version-conflict` when the database holds something else in its place
 */
export async function replayBatch(
  options: BatchReplayOptions,
  institution: Institution,
  placed: PlacedAnchor,
  manifest: Manifest,
): Promise<ReplayedCounts> {
  const { database } = options;
  const key: LogKey = { institution: institution.id, log: LOG_NUMBER[manifest.log] };
  const hashes = manifest.entries.map((entry) => entry.leaf);
  const waiting = new Set((await selectWaiting(database, key, hashes)).map(hexOf));
  const absent = manifest.entries.filter((entry) => !waiting.has(hexOf(entry.leaf)));
  const rows = manifest.log === 'records' ? await openEntries(options, institution, key, absent) : [];
  try {
    await database.transaction('writer', (sql) => insertBatch(sql, key, placed, manifest, rows));
  } catch (error) {
    if (!violatesUnique(error, 'resource_version_id_token_version_key')) throw error;
    const message = 'The database holds a version that the ledger does not know in the place of one that it anchors';
    throw new MedSealError('version-conflict', message, { cause: error });
  }
  const isAccess = manifest.log === 'access';
  return {
    versions: rows.length,
    waiting: waiting.size,
    keyless: isAccess ? 0 : absent.length - rows.length,
    accessOnly: isAccess ? absent.length : 0,
  };
}

async function openEntries(
  { database, own, opener }: BatchReplayOptions,
  institution: Institution,
  key: LogKey,
  entries: readonly ManifestEntry[],
): Promise<readonly VersionRow[]> {
  const newest = new Map<string, Predecessor>();
  const unopened: Buffer[] = [];
  const rows: VersionRow[] = [];
  const log: LogSoFar = {
    institution,
    newest: async (idToken) => newest.get(idToken) ?? (await storedNewest(own, institution, idToken)),
    unopened: async () => [...unopened, ...(await selectUnopened(database, key))],
  };
  for (const entry of entries) {
    const row = await opener.open(entry, log);
    if (row === undefined) unopened.push(Buffer.from(entry.leaf));
    else {
      rows.push(row);
      newest.set(row.draft.idToken, { ...row.draft, leafHash: row.leafHash });
    }
  }
  return rows;
}

async function storedNewest(
  own: OwnPartition,
  institution: Institution,
  idToken: string,
): Promise<Predecessor | undefined> {
  const state = (await own.states(institution, [idToken])).get(idToken);
  if (state === undefined) return undefined;
  const { version, leafHash, facets, readers } = state;
  return { version, leafHash, facets: facets.map(String), readers: readers.map(String) };
}

async function insertBatch(
  sql: Sql,
  key: LogKey,
  { anchor, block }: PlacedAnchor,
  { first, size, entries }: Manifest,
  rows: readonly VersionRow[],
): Promise<void> {
  await lockTrail(sql);
  if ((await selectSize(sql, key)) !== first) {
    throw new MedSealError('version-conflict', 'The database has numbered leaves otherwise than the ledger');
  }
  for (const some of chunksOf(rows)) await insertRows(sql, some);

  const hashes = entries.map((entry) => Buffer.from(entry.leaf));
  const taken = new Map((await takeWaiting(sql, key, hashes)).map((leaf) => [hexOf(leaf.hash), leaf]));
  const leaves = hashes.map((hash) => taken.get(hexOf(hash)) ?? { hash, versionId: null, accessId: null });
  const before = treeState(first, await readTiles(sql, key, edgeTiles(first)));
  const { state, tiles } = appendLeaves(before, hashes);
  const root = rootOf(state);
  invariant(state.size === size, 'a manifest has an entry for each of its leaves');
  if (hexOf(root) !== anchor.root) {
    throw new MedSealError(
      'sealed-content-damaged',
      'The leaves of a batch do not give the root that the ledger anchors',
    );
  }
  await insertLeaves(sql, key, first, leaves);
  await writeTiles(sql, key, tiles);
  const { manifest, transactionId, time } = anchor;
  await insertReplayedBatch(sql, key, { first, size, root, manifest, transactionId, block, at: time });
}

/** In order, and no two versions of one resource together, since one statement may not change a row twice. */
function* chunksOf(rows: readonly VersionRow[]): Generator<readonly VersionRow[]> {
  let chunk = new Map<string, VersionRow>();
  for (const row of rows) {
    if (chunk.size === ROWS || chunk.has(row.draft.idToken)) {
      yield [...chunk.values()];
      chunk = new Map();
    }
    chunk.set(row.draft.idToken, row);
  }
  if (chunk.size > 0) yield [...chunk.values()];
}

async function insertRows(sql: Sql, rows: readonly VersionRow[]): Promise<void> {
  await insertVersions(sql, rows);
  for (const { draft } of rows) {
    for (const merging of mergingOf(draft)) await mergePatients(sql, merging);
    if (draft.consent !== undefined) await replaceConsent(sql, draft, draft.consent);
    const { searchParameter, institution } = draft;
    if (searchParameter !== undefined) await changeSearchParameter(sql, institution.id, draft, searchParameter);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
