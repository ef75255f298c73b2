import type { Database, Sql } from '../database/port.ts';
import type { LogKey } from '../log/tiles.ts';
import { lockTrail } from './replay.ts';

/** Statements about logs that another ledger anchored before. */
export interface CarriedBatch {
  readonly first: bigint;
  readonly size: bigint;
  readonly root: Buffer;
  readonly manifest: string;
  /** Of its anchor on the ledger before; null where that is not known any more. */
  readonly transactionId: string | null;
  readonly block: bigint | null;
}

const CARRIED = 'first, size, root, manifest, transaction_id as "transactionId", block';

/** The batches that one batch over all their leaves has taken the place of, in order; none of a log that began here. */
export function selectCarried(database: Database, { institution, log }: LogKey): Promise<readonly CarriedBatch[]> {
  return database.query<CarriedBatch>(
    'writer',
    `select ${CARRIED} from carried_batch where institution = $1 and log = $2 order by size`,
    [institution, log],
  );
}

/** The one that a leaf was sealed in, while another ledger anchored its log. */
export async function selectCarriedOf(
  database: Database,
  { institution, log }: LogKey,
  leaf: bigint,
): Promise<CarriedBatch | undefined> {
  const rows = await database.query<CarriedBatch>(
    'writer',
    `select ${CARRIED} from carried_batch where institution = $1 and log = $2 and size > $3 order by size limit 1`,
    [institution, log, leaf],
  );
  return rows[0];
}

/** What the one batch is, where that is known already. */
export interface CarryAnchor {
  readonly manifest: string;
  readonly transactionId: string;
  readonly block: bigint;
  readonly at: string;
}

/**
 * Puts one batch in the place of all batches of a log up to `size`, at which one of them ends. Transactions that were
 * prepared for another ledger, of later batches too, are dropped.
 *
 * @param anchor absent: it is still to be anchored
 */
export async function foldBatches(database: Database, key: LogKey, size: number, anchor?: CarryAnchor): Promise<void> {
  const { institution, log } = key;
  await database.transaction('writer', async (sql) => {
    await lockTrail(sql);
    await sql.query(
      `with folded as (
         delete from batch where institution = $1 and log = $2 and size <= $3
         returning institution, log, first, size, root, sealed_at, manifest, transaction_id, block, anchored_at
       )
       insert into carried_batch (institution, log, first, size, root, sealed_at, manifest, transaction_id, block, anchored_at)
       select institution, log, first, size, root, sealed_at, manifest, own.*
       from folded left join lateral (
         select transaction_id, block, anchored_at where transaction_id is distinct from $4) own on true
       -- Where one stands for all already, those are there.
       where not exists (
         select from carried_batch c where c.institution = $1 and c.log = $2 and c.size = folded.size)`,
      [institution, log, size, anchor?.transactionId ?? null],
    );
    await sql.query(
      `insert into batch (institution, log, first, size, root, sealed_at, manifest, transaction_id, block, anchored_at)
       select institution, log, 0, size, root, sealed_at, $4, $5, $6, $7
       from carried_batch where institution = $1 and log = $2 and size = $3`,
      [
        institution,
        log,
        size,
        anchor?.manifest ?? null,
        anchor?.transactionId ?? null,
        anchor?.block ?? null,
        anchor?.at ?? null,
      ],
    );
    await dropTransactions(sql, key);
  });
}

async function dropTransactions(sql: Sql, { institution, log }: LogKey): Promise<void> {
  await sql.query(
    `update batch set transaction_id = null, transaction_bytes = null
     where institution = $1 and log = $2 and anchored_at is null`,
    [institution, log],
  );
}
