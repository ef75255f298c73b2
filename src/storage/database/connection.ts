import type { PoolClient } from 'pg';
import { DatabaseError } from './database-error.ts';

/** One pooled connection, in use by one caller. */
export interface Connection {
  /** Sends a statement now; the promise is for its result. With `values`, even none, it is prepared and kept. */
  send<Row>(text: string, values?: readonly unknown[]): Promise<{ rows: readonly Row[]; command: string }>;
  /** Holds back what is sent while `issue` runs and writes it in one piece, so that the server wakes up once. */
  together<T>(issue: () => T): T;
}

/**
 * A connection keeps its prepared statements until it ends, and so does the server. Search has many texts, so a
 * connection that has collected this many is replaced.
 */
const STATEMENTS_PER_CONNECTION = 400;

export interface PooledConnection extends Connection {
  /** Gives it back, or ends it when something on it may be left behind. */
  release(): void;
}

/** @param statements names of the statements prepared on this client so far, by their texts */
export function pooledConnection(client: PoolClient, statements: Map<string, string>): PooledConnection {
  let broken = false;
  const prepared = (text: string, values: readonly unknown[]) => {
    const name = statements.get(text) ?? `s${statements.size}`;
    statements.set(text, name);
    return { name, text, values: [...values] };
  };
  return {
    async send<Row>(text: string, values?: readonly unknown[]) {
      try {
        const sent = values === undefined ? client.query(text) : client.query(prepared(text, values));
        const { rows, command } = await sent;
        return { rows: rows as Row[], command };
      } catch (cause) {
        const error = new DatabaseError(cause, false);
        broken ||= leavesDoubt(error);
        throw error;
      }
    },
    together<T>(issue: () => T): T {
      const { stream } = client.connection;
      stream.cork();
      try {
        return issue();
      } finally {
        stream.uncork();
      }
    },
    release() {
      const clean = client.getTransactionStatus() === 'I' && statements.size < STATEMENTS_PER_CONNECTION;
      client.release(broken || !clean);
    },
  };
}

/**
 * Whether the connection itself is suspect: the error did not come from the server, the server is going away, or a
 * statement that we think prepared is not (26000) or no longer fits its tables (0A000).
 */
function leavesDoubt({ sqlState, code }: DatabaseError): boolean {
  return sqlState === undefined || code === 'storage-unavailable' || sqlState === '26000' || sqlState === '0A000';
}
