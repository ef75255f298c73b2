import type { Database, Sql } from '../database/port.ts';

/** One block with its one transaction; block 0 has none. */
export interface BlockRow {
  readonly number: bigint;
  readonly header: Buffer;
  readonly hash: Buffer;
  readonly signature: Buffer;
  readonly data: Buffer;
  /** 32 bytes; null in block 0. */
  readonly transaction: Buffer | null;
  readonly status: string | null;
}

/** Notified with a block's number when it is committed. */
export const BLOCK_CHANNEL = 'ledger_block';

const COMMITTER_LOCK = 0x6c656467;

const SELECT_BLOCKS = `select number, header, hash, signature, data, transaction.id as transaction, status
  from ledger.block left join ledger.transaction on transaction.block = block.number`;

/** Lets one committer at a time go on, over all replicas, until its transaction ends. */
export async function lockCommitter(sql: Sql): Promise<void> {
  await sql.query('select pg_advisory_xact_lock($1)', [COMMITTER_LOCK]);
}

export async function readHead(sql: Sql): Promise<{ readonly number: bigint; readonly hash: Buffer } | undefined> {
  const rows = await sql.query<{ number: bigint; hash: Buffer }>(
    'select number, hash from ledger.block order by number desc limit 1',
  );
  return rows[0];
}

/** At most `limit` blocks from `from` on, in order. */
export function readBlocks(sql: Pick<Sql, 'query'>, from: bigint, limit: number): Promise<readonly BlockRow[]> {
  // Said of both, because a merge would read the other from its beginning.
  const text = `${SELECT_BLOCKS} and transaction.block >= $1 where number >= $1 order by number limit $2`;
  return sql.query(text, [from, limit]);
}

/** The block of a transaction, by its id of 32 bytes. */
export async function findBlockOf(sql: Pick<Sql, 'query'>, transaction: Buffer): Promise<BlockRow | undefined> {
  const rows = await sql.query<BlockRow>(`${SELECT_BLOCKS} where transaction.id = $1`, [transaction]);
  return rows[0];
}

/** Statements outside a transaction, as the writer. */
export function asWriter(database: Database): Pick<Sql, 'query'> {
  return { query: (text, values) => database.query('writer', text, values) };
}

/** Appends a block and tells whoever follows the ledger, once it is committed. */
export async function appendBlock(sql: Sql, block: BlockRow): Promise<void> {
  const { number, header, hash, signature, data, transaction, status } = block;
  const statements = [
    sql.query('insert into ledger.block (number, header, hash, signature, data) values ($1, $2, $3, $4, $5)', [
      number,
      header,
      hash,
      signature,
      data,
    ]),
    sql.query('select pg_notify($1, $2)', [BLOCK_CHANNEL, String(number)]),
  ];
  if (transaction !== null) {
    const values = [transaction, number, status];
    statements.push(sql.query('insert into ledger.transaction (id, block, status) values ($1, $2, $3)', values));
  }
  await Promise.all(statements);
}
