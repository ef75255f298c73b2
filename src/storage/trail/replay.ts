import type { Database, Sql } from '../database/port.ts';
import type { LogKey } from '../log/tiles.ts';
import { type PendingLeaf, selectSize } from './log.ts';

/** Statements of a rebuild: batches as the ledger has them, whatever became of them here. */
export interface ReplayedBatch {
  readonly first: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly manifest: string;
  readonly transactionId: string;
  readonly block: bigint;
  /** RFC 3339. */
  readonly at: string;
}

/** Waits until neither sequencer nor relay works, and keeps both away to the end of the transaction. */
export async function lockTrail(sql: Sql): Promise<void> {
  await sql.query(
    `select pg_advisory_xact_lock(hashtextextended('medseal ' || name, 0)) from unnest('{relay,sequencer}'::text[]) as name`,
    [],
  );
}

/** Those among the hashes whose leaves wait here for a number. */
export async function selectWaiting(
  database: Database,
  key: LogKey,
  hashes: readonly Uint8Array[],
): Promise<readonly Buffer[]> {
  const rows = await database.query<{ hash: Buffer }>(
    'writer',
    'select hash from leaf_pending where institution = $1 and log = $2 and hash = any ($3::bytea[])',
    [key.institution, key.log, hashes],
  );
  return rows.map((row) => row.hash);
}

/** Takes the waiting leaves of these hashes, in no particular order. */
export function takeWaiting(
  sql: Sql,
  key: LogKey,
  hashes: readonly Uint8Array[],
): Promise<readonly Pick<PendingLeaf, 'hash' | 'versionId' | 'accessId'>[]> {
  return sql.query(
    `delete from leaf_pending where institution = $1 and log = $2 and hash = any ($3::bytea[])
     returning hash, version_id as "versionId", access_id as "accessId"`,
    [key.institution, key.log, hashes],
  );
}

/** Sealed, stored and anchored at once. */
export async function insertReplayedBatch(sql: Sql, key: LogKey, batch: ReplayedBatch): Promise<void> {
  const { first, size, root, manifest, transactionId, block, at } = batch;
  await sql.query(
    `insert into batch (institution, log, first, size, root, sealed_at, manifest, transaction_id, block, anchored_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6)`,
    [key.institution, key.log, first, size, root, at, manifest, transactionId, block],
  );
}

export function selectLogSize(database: Database, key: LogKey): Promise<number> {
  return selectSize({ query: (text, values) => database.query('writer', text, values) }, key);
}

/** Leaves of a log of records that no version belongs to, as its key was gone when it was replayed. */
export async function selectUnopened(database: Database, key: LogKey): Promise<readonly Buffer[]> {
  const rows = await database.query<{ hash: Buffer }>(
    'writer',
    'select hash from leaf where institution = $1 and log = $2 and version_id is null and access_id is null',
    [key.institution, key.log],
  );
  return rows.map((row) => row.hash);
}
