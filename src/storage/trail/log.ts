import type { Database, Sql } from '../database/port.ts';
import type { LogKey } from '../log/tiles.ts';

/** Statements of the sequencer and the relay. */
export interface PendingLeaf extends LogKey {
  readonly id: bigint;
  readonly hash: Buffer;
  readonly versionId: bigint | null;
  readonly accessId: bigint | null;
}

export interface BatchRow extends LogKey {
  readonly first: bigint;
  readonly size: bigint;
  readonly root: Buffer;
  readonly sealedAt: string;
  readonly manifest: string | null;
  readonly transactionId: string | null;
  readonly transactionBytes: Buffer | null;
  readonly block: bigint | null;
  readonly anchoredAt: string | null;
  readonly held: string | null;
}

const BATCH = `institution, log, first, size, root, sealed_at as "sealedAt", manifest, transaction_id as "transactionId",
  transaction_bytes as "transactionBytes", block, anchored_at as "anchoredAt", held`;

/** Only one sequencer, of all replicas, works at a time. Held to the end of the transaction. */
export async function tryLock(sql: Sql, name: 'sequencer' | 'relay' | 'consent relay'): Promise<boolean> {
  const [row] = await sql.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
    [`medseal ${name}`],
  );
  return row?.locked === true;
}

/** Logs that have pending leaves, with how many there are, up to `limit`, and batches that are not anchored. */
export function selectPendingLogs(
  sql: Sql,
  limit: number,
): Promise<readonly (LogKey & { pending: bigint; open: bigint })[]> {
  return sql.query(
    `select p.institution, p.log, p.pending,
       (select count(*) from batch b where b.institution = p.institution and b.log = p.log and b.anchored_at is null) as open
     from (
       select institution, log, count(*) as pending
       from (select institution, log from leaf_pending order by id limit $1) as oldest
       group by institution, log
     ) as p`,
    [limit],
  );
}

/**
 * Takes the oldest committed leaves of a log, in order of their insertion: at most `limit`, and of those no more than
 * come before their sealed contents exceed `bytes`.
 */
export async function takePending(
  sql: Sql,
  key: LogKey,
  limit: number,
  bytes: number,
): Promise<readonly PendingLeaf[]> {
  const rows = await sql.query<PendingLeaf>(
    `delete from leaf_pending where id = any (array(
       select id from (
         select p.id, sum(coalesce(octet_length(v.sealed), 0)) over (order by p.id) - octet_length(v.sealed) as before
         from (select id, version_id from leaf_pending where institution = $1 and log = $2 order by id limit $3) as p
         left join resource_version v on v.id = p.version_id) as oldest
       where coalesce(before, 0) < $4))
     returning id, institution, log, hash, version_id as "versionId", access_id as "accessId"`,
    [key.institution, key.log, limit, bytes],
  );
  return [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function insertLeaves(
  sql: Sql,
  key: LogKey,
  first: number,
  leaves: readonly Pick<PendingLeaf, 'hash' | 'versionId' | 'accessId'>[],
): Promise<void> {
  await sql.query(
    `insert into leaf (institution, log, number, hash, version_id, access_id)
     select $1, $2, $3::bigint + place - 1, hash, version_id, access_id
     from unnest($4::bytea[], $5::bigint[], $6::bigint[]) with ordinality as i (hash, version_id, access_id, place)`,
    [
      key.institution,
      key.log,
      first,
      leaves.map((leaf) => leaf.hash),
      leaves.map((leaf) => leaf.versionId),
      leaves.map((leaf) => leaf.accessId),
    ],
  );
}

/** Size of a log: that of its newest batch. */
export async function selectSize(sql: Sql, key: LogKey): Promise<number> {
  const rows = await sql.query<{ size: bigint }>(
    'select size from batch where institution = $1 and log = $2 order by size desc limit 1',
    [key.institution, key.log],
  );
  return Number(rows[0]?.size ?? 0n);
}

/** A batch is never older than the one before, whatever a clock says. */
export async function insertBatch(
  sql: Sql,
  key: LogKey,
  batch: { readonly first: number; readonly size: number; readonly root: Uint8Array; readonly sealedAt: string },
): Promise<void> {
  await sql.query(
    `insert into batch (institution, log, first, size, root, sealed_at) values ($1, $2, $3, $4, $5, greatest(
       $6::timestamptz,
       (select sealed_at from batch where institution = $1 and log = $2 order by size desc limit 1)))`,
    [key.institution, key.log, batch.first, batch.size, batch.root, batch.sealedAt],
  );
}

/** The oldest batch of each log that is not anchored yet. */
export function selectOpenBatches(database: Database): Promise<readonly BatchRow[]> {
  return database.query<BatchRow>(
    'writer',
    `select distinct on (institution, log) ${BATCH} from batch where anchored_at is null order by institution, log, size`,
  );
}

/** The newest anchored batch of a log. */
export async function selectAnchored(database: Database, key: LogKey): Promise<BatchRow | undefined> {
  const rows = await database.query<BatchRow>(
    'writer',
    `select ${BATCH} from batch where institution = $1 and log = $2 and anchored_at is not null
     order by size desc limit 1`,
    [key.institution, key.log],
  );
  return rows[0];
}

export async function selectBatch(database: Database, key: LogKey, size: number): Promise<BatchRow | undefined> {
  const rows = await database.query<BatchRow>(
    'writer',
    `select ${BATCH} from batch where institution = $1 and log = $2 and size = $3`,
    [key.institution, key.log, size],
  );
  return rows[0];
}

/** One leaf of a batch with what its manifest entry shows; an access leaf has neither digest nor envelope. */
export interface BatchLeaf {
  readonly number: bigint;
  readonly hash: Buffer;
  readonly sealed: string | null;
  readonly digest: Buffer | null;
  readonly envelope: string | null;
}

export function selectBatchLeaves(
  database: Database,
  key: LogKey,
  first: number,
  size: number,
): Promise<readonly BatchLeaf[]> {
  return database.query<BatchLeaf>(
    'writer',
    `select l.number, l.hash, v.sealed, v.digest, v.envelope
     from leaf l left join resource_version v on v.id = l.version_id
     where l.institution = $1 and l.log = $2 and l.number >= $3 and l.number < $4 order by l.number`,
    [key.institution, key.log, first, size],
  );
}

export async function setManifest(database: Database, batch: BatchRow, manifest: string): Promise<void> {
  await updateBatch(database, batch, 'manifest = $4, held = null', [manifest], OPEN);
}

export interface BatchTransaction {
  readonly transactionId: string;
  readonly bytes: Uint8Array;
}

/**
 * Durable before the bytes are submitted. Of two relays that prepared one, the first stands.
 *
 * @returns the bytes to submit; undefined when the batch is anchored already
 */
export async function settleTransaction(
  database: Database,
  batch: BatchRow,
  transaction: BatchTransaction,
): Promise<Uint8Array | undefined> {
  const values = [transaction.transactionId, transaction.bytes];
  const own = 'transaction_id = $4, transaction_bytes = $5, held = null';
  if (await updateBatch(database, batch, own, values, `${OPEN} and transaction_bytes is null`)) {
    return transaction.bytes;
  }
  return (await selectBatch(database, batch, Number(batch.size)))?.transactionBytes ?? undefined;
}

/** Forgets a transaction that had no effect, unless another one stands in its place by now. */
export async function dropTransaction(database: Database, batch: BatchRow, bytes: Uint8Array): Promise<void> {
  const none = 'transaction_id = null, transaction_bytes = null';
  await updateBatch(database, batch, none, [bytes], `${OPEN} and transaction_bytes = $4`);
}

export async function setAnchored(
  database: Database,
  batch: BatchRow,
  anchor: { readonly transactionId: string; readonly block: bigint; readonly at: string },
): Promise<void> {
  await updateBatch(
    database,
    batch,
    'transaction_id = $4, block = $5, anchored_at = $6, transaction_bytes = null, held = null',
    [anchor.transactionId, anchor.block, anchor.at],
    OPEN,
  );
}

/** The ledger knows less than we took as anchored: these batches are anchored again. */
export async function reopenAbove(database: Database, key: LogKey, size: number): Promise<void> {
  await database.query(
    'writer',
    `update batch set anchored_at = null, block = null, transaction_id = null, transaction_bytes = null
     where institution = $1 and log = $2 and size > $3 and anchored_at is not null`,
    [key.institution, key.log, size],
  );
}

export async function setHeld(database: Database, batch: BatchRow, reason: string): Promise<void> {
  await updateBatch(database, batch, 'held = $4', [reason], OPEN);
}

/** What is anchored stays as it is, whoever comes late. */
const OPEN = 'anchored_at is null';

/** @returns whether it was as `condition` says, and is changed now */
async function updateBatch(
  database: Database,
  batch: BatchRow,
  assignments: string,
  values: readonly unknown[],
  condition: string,
): Promise<boolean> {
  const rows = await database.query(
    'writer',
    `update batch set ${assignments} where institution = $1 and log = $2 and size = $3 and ${condition} returning 1`,
    [batch.institution, batch.log, batch.size, ...values],
  );
  return rows.length > 0;
}
