import type { PoolClient } from 'pg';
import { DatabaseError } from './database-error.ts';
import { exchange, type PreparedStatement, type Rows, type Statement } from './exchange.ts';

/** One pooled connection, in use by one caller. */
export interface Connection {
  /** Sends a command such as COMMIT now. @returns the command that the server says it has carried out */
  command(text: string): Promise<string>;
  /** Sends statements now, one transaction together unless one is open. @returns the rows of each */
  exchange(statements: readonly Statement[]): Promise<readonly Rows[]>;
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

/** @param known the statements prepared on this client so far, by their texts */
export function pooledConnection(client: PoolClient, known: Map<string, PreparedStatement>): PooledConnection {
  let broken = false;
  return {
    async command(text) {
      try {
        return (await client.query(text)).command;
      } catch (cause) {
        const error = new DatabaseError(cause, false);
        broken ||= leavesDoubt(error);
        throw error;
      }
    },
    async exchange(statements) {
      const before = known.size;
      try {
        return await exchange(client, known, statements);
      } catch (cause) {
        const error = new DatabaseError(cause, false);
        // Whether a statement that was new has been prepared depends on which one failed.
        broken ||= leavesDoubt(error) || known.size > before;
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
      const clean = client.getTransactionStatus() === 'I' && known.size < STATEMENTS_PER_CONNECTION;
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
