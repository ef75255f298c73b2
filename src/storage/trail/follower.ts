import type { Database, Sql } from '../database/port.ts';

/** The newest anchor that was seen of a log on the ledger, whoever owns it. */
export interface LedgerHead {
  readonly institution: string;
  readonly log: number;
  readonly owner: string;
  readonly size: bigint;
  readonly root: Buffer;
  readonly sequence: bigint;
  readonly transactionId: string;
  readonly block: bigint;
}

const HEAD = 'institution, log, owner, size, root, sequence, transaction_id as "transactionId", block';

/** The number of the first block that was not dealt with yet. */
export async function selectCheckpoint(database: Database): Promise<bigint> {
  const [row] = await database.query<{ next: bigint }>('writer', 'select next_block as next from ledger_checkpoint');
  return row?.next ?? 0n;
}

/** Takes a block on for this replica. @returns false when another one has dealt with it already */
export async function advanceCheckpoint(sql: Sql, block: bigint): Promise<boolean> {
  const rows = await sql.query(
    `insert into ledger_checkpoint as checkpoint (next_block) values ($1::bigint + 1)
     on conflict (one) do update set next_block = excluded.next_block where checkpoint.next_block <= $1
     returning 1`,
    [block],
  );
  return rows.length > 0;
}

export async function selectHead(sql: Sql, institution: string, log: number): Promise<LedgerHead | undefined> {
  const rows = await sql.query<LedgerHead>(`select ${HEAD} from ledger_head where institution = $1 and log = $2`, [
    institution,
    log,
  ]);
  return rows[0];
}

export async function saveHead(sql: Sql, head: LedgerHead): Promise<void> {
  await sql.query(
    `insert into ledger_head (institution, log, owner, size, root, sequence, transaction_id, block)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (institution, log) do update set owner = excluded.owner, size = excluded.size, root = excluded.root,
       sequence = excluded.sequence, transaction_id = excluded.transaction_id, block = excluded.block`,
    [head.institution, head.log, head.owner, head.size, head.root, head.sequence, head.transactionId, head.block],
  );
}
