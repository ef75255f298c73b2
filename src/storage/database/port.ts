/**
 * The database port. Two adapters: `embedded/` starts PostgreSQL itself, `external.ts` uses one that is there; both
 * speak through `postgres.ts` and pass conformance/ports/database-contract.ts.
 *
 * Values come back as: int8 and int8[] as `bigint` (they hold 64-bit tokens and log sizes, which a double would
 * round); bytea as `Buffer`; timestamptz as a FHIR instant in UTC such as `2026-11-22T11:35:00.123Z`, because that is
 * what responses and log leaves need, it sorts as text, and it is a valid parameter again (PostgreSQL's microseconds
 * are cut off: keep them out by `timestamptz(3)` where a value is compared later); date as `YYYY-MM-DD`; numeric as
 * text; everything else as `pg` has it. As parameters `bigint`, `Buffer`, `Uint8Array`, `Date` and arrays of them work.
 *
 * Every method throws `DatabaseError` (database-error.ts) for whatever PostgreSQL or the connection to it says.
 */

/**
 * Three logins. `writer` and `reader` belong to the records database, where the reader has rights on views only;
 * `keys` belongs to the key service's database. None can connect where another belongs.
 */
export type Role = 'writer' | 'reader' | 'keys';

/** Statements inside one transaction. Those issued without awaiting go out together, in order. */
export interface Sql {
  /** A prepared statement, planned once per connection: `text` must be constant, and all data in `values`. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface TransactionOptions {
  /**
   * `set_config(name, value, true)` for each, in the same round trip as BEGIN: they last until COMMIT. Custom names
   * (`medseal.x`) read back as '' afterwards, not NULL, on the same connection. PostgreSQL's own settings work too, such
   * as `statement_timeout` or `plan_cache_mode`.
   */
  readonly settings?: Readonly<Record<string, string>>;
  /** `read committed` when absent. */
  readonly isolation?: 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
  /**
   * The statements that `work` issued before its first await are the transaction, up to one Sync: one message each way,
   * without BEGIN or COMMIT (exchange.ts). Statements issued later are refused, and `work` can no longer roll back by throwing; a statement
   * that fails still does.
   */
  readonly pipelined?: boolean;
}

interface DatabaseStatus {
  /** Both databases answered. */
  readonly reachable: boolean;
  /** Such as `18.4`, of the records database. */
  readonly version?: string;
  /** Whether a commit survives a power failure: fsync, full_page_writes and synchronous_commit are on in both. */
  readonly durable?: boolean;
  /** Free space where the database files lie; absent where that cannot be known (an external database). */
  readonly freeBytes?: number;
}

export interface Database {
  /** One statement, committed by itself. */
  query<Row>(role: Role, text: string, values?: readonly unknown[]): Promise<readonly Row[]>;

  /**
   * BEGIN, `work`, COMMIT on one connection; ROLLBACK when `work` throws. When it resolves, the transaction is committed
   * and durable. When the connection is lost during COMMIT, the error says `outcomeUnknown`.
   */
  transaction<T>(role: Role, work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;

  /**
   * Calls `onNotify` with the payload of each `pg_notify(channel, payload)` in the records database, until the returned
   * function is called. Reconnects by itself, and then calls `onNotify` once with '', as some may have been missed.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;

  /** Never throws; for `/ready`. */
  status(): Promise<DatabaseStatus>;

  /** Lets running statements end for a moment, then ends every connection (and an embedded server). Idempotent. */
  close(): Promise<void>;
}
