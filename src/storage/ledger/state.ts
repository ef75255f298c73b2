import type { Database, Sql } from '../database/port.ts';

export interface StateRow {
  readonly key: Buffer;
  readonly value: Buffer;
  /** The block that wrote it last. */
  readonly version: bigint;
}

/** The committed states of these keys, those that exist, in no order. */
export function readStates(database: Database, keys: readonly Buffer[]): Promise<readonly StateRow[]> {
  return database.query('writer', 'select key, value, version from ledger.state where key = any ($1)', [keys]);
}

/** At most `limit` states with start <= key < end, by key. */
export function readStatePage(
  database: Database,
  start: Buffer,
  end: Buffer,
  limit: number,
): Promise<readonly StateRow[]> {
  return database.query(
    'writer',
    'select key, value, version from ledger.state where key >= $1 and key < $2 order by key limit $3',
    [start, end, limit],
  );
}

/** At most `limit` former values of a key, newest first, of blocks before `before` (null: from the newest on). */
export function readHistory(
  database: Database,
  key: Buffer,
  before: bigint | null,
  limit: number,
): Promise<readonly { readonly block: bigint; readonly value: Buffer }[]> {
  return database.query(
    'writer',
    `select block, value from ledger.history
     where key = $1 and ($2::bigint is null or block < $2) order by block desc limit $3`,
    [key, before, limit],
  );
}

/** What validating a transaction needs to know of the keys that it read or writes. */
export function readVersions(
  sql: Sql,
  keys: readonly Buffer[],
): Promise<readonly { readonly key: Buffer; readonly version: bigint; readonly policy: Buffer | null }[]> {
  return sql.query('select key, version, policy from ledger.state where key = any ($1)', [keys]);
}

/** Applies a valid transaction's writes and endorsement policies as of `block`. A policy needs a value to be for. */
export async function writeStates(
  sql: Sql,
  block: bigint,
  writes: readonly { readonly key: Buffer; readonly value: Buffer }[],
  policies: readonly { readonly key: Buffer; readonly policy: Buffer }[],
): Promise<void> {
  const keys = writes.map((write) => write.key);
  const values = writes.map((write) => write.value);
  await Promise.all([
    sql.query(
      `insert into ledger.state (key, value, version) select *, $3::bigint from unnest($1::bytea[], $2::bytea[])
       on conflict (key) do update set value = excluded.value, version = excluded.version`,
      [keys, values, block],
    ),
    sql.query(
      'insert into ledger.history (key, block, value) select key, $3, value from unnest($1::bytea[], $2::bytea[]) as written (key, value)',
      [keys, values, block],
    ),
    sql.query(
      `update ledger.state set policy = given.policy, version = $3
       from unnest($1::bytea[], $2::bytea[]) as given (key, policy) where state.key = given.key`,
      [policies.map((each) => each.key), policies.map((each) => each.policy), block],
    ),
  ]);
}
