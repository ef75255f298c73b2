import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { type ClientConfig, Pool, type PoolClient } from 'pg';
import { MedSealError } from '../../errors.ts';
import type { Faults } from '../../faults.ts';
import type { Logger } from '../../logger.ts';
import { type Connection, pooledConnection } from './connection.ts';
import { DatabaseError } from './database-error.ts';
import type { PreparedStatement } from './exchange.ts';
import { createListener } from './listener.ts';
import type { Database, Role } from './port.ts';
import { runTransaction } from './transaction.ts';
import { valueParsers } from './values.ts';

/** Where and as whom to connect. */
export interface Login {
  /** A host name, or the absolute path of the directory that holds the Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly ssl: boolean | ConnectionOptions;
}

export interface Tuning {
  /** Connections at most; others wait. */
  readonly poolSizes?: Readonly<Partial<Record<Role, number>>>;
  /** PostgreSQL's `statement_timeout` in milliseconds. */
  readonly statementTimeouts?: Readonly<Partial<Record<Role, number>>>;
  /** As it shows in `pg_stat_activity`. */
  readonly applicationName?: string;
}

export interface PostgresOptions extends Tuning {
  readonly logins: Readonly<Record<Role, Login>>;
  readonly logger: Logger;
  readonly faults: Faults;
  /** Free space where the database files lie, in bytes; undefined when unknown. */
  readonly freeBytes: () => Promise<number | undefined>;
}

const POOL_SIZES: Readonly<Record<Role, number>> = { writer: 8, reader: 8, keys: 4 };
const STATEMENT_TIMEOUTS: Readonly<Record<Role, number>> = { writer: 30_000, reader: 20_000, keys: 10_000 };
const ROLES: readonly Role[] = ['writer', 'reader', 'keys'];
const CONNECT_TIMEOUT = 10_000;
const STATUS_TIMEOUT = 3_000;
/** How long `close` lets running statements go on. */
const CLOSE_GRACE = 1_500;

/** The part of the database port that both adapters share. Connects lazily. */
export function connectPostgres(options: PostgresOptions): Database {
  const { logger, faults } = options;
  const pools: Readonly<Record<Role, RolePool>> = {
    writer: createPool('writer', options),
    reader: createPool('reader', options),
    keys: createPool('keys', options),
  };
  const listener = createListener(clientConfig(options.logins.writer, 'writer', options), logger);
  let closing: Promise<void> | undefined;

  async function query<Row>(role: Role, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return pools[role].use(async (connection) => {
      try {
        const [rows = []] = await connection.exchange([{ text, values }]);
        return rows as readonly Row[];
      } catch (error) {
        // The statement was its own transaction, so losing the connection leaves its outcome open.
        throw error instanceof DatabaseError ? new DatabaseError(error.cause, true) : error;
      }
    });
  }

  return {
    query,
    async transaction(role, work, transactionOptions = {}) {
      if (role === 'writer') await diskFull(faults);
      const result = await pools[role].use((connection) => runTransaction(connection, work, transactionOptions));
      if (role === 'writer') await commitUnknown(faults);
      return result;
    },
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    async status() {
      try {
        const facts = Promise.all([serverFacts(query, 'writer'), serverFacts(query, 'keys')]);
        const [records, keys] = await Promise.race([facts, noAnswer()]);
        const freeBytes = await options.freeBytes();
        const durable = records.durable && keys.durable;
        return {
          reachable: true,
          version: records.version,
          durable,
          ...(freeBytes === undefined ? {} : { freeBytes }),
        };
      } catch (error) {
        logger.warn({ err: error }, 'the database does not answer');
        return { reachable: false };
      }
    },
    close() {
      closing ??= Promise.all([listener.close(), ...ROLES.map((role) => pools[role].end())]).then(() => undefined);
      return closing;
    },
  };
}

/** For whoever asks how it is: one that takes connections and answers nothing is as good as gone. */
async function noAnswer(): Promise<never> {
  await delay(STATUS_TIMEOUT, undefined, { ref: false });
  throw new MedSealError('storage-unavailable', 'The database does not answer.');
}

/** What PostgreSQL says when it cannot write any more; for drills where a small disk cannot be had. */
async function diskFull(faults: Faults): Promise<void> {
  await faults.at('disk-full').catch((cause: unknown) => {
    throw new MedSealError('storage-full', 'The database has no space left.', { cause });
  });
}

/** The crash point between the server's COMMIT and our hearing of it. */
async function commitUnknown(faults: Faults): Promise<void> {
  try {
    await faults.at('write-commit-unknown');
  } catch (cause) {
    throw new DatabaseError(cause, true);
  }
}

async function serverFacts(query: Database['query'], role: Role): Promise<{ version: string; durable: boolean }> {
  const [facts] = await query<{ version: string; durable: boolean }>(
    role,
    `select current_setting('server_version') as version,
       current_setting('fsync')::boolean and current_setting('full_page_writes')::boolean
         and current_setting('synchronous_commit') <> 'off' as durable`,
  );
  return facts ?? { version: '', durable: false };
}

interface RolePool {
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

function createPool(role: Role, options: PostgresOptions): RolePool {
  const pool = new Pool({
    ...clientConfig(options.logins[role], role, options),
    pipeline: true,
    max: options.poolSizes?.[role] ?? POOL_SIZES[role],
    idleTimeoutMillis: 60_000,
  });
  const statements = new Map<PoolClient, Map<string, PreparedStatement>>();
  pool.on('connect', (client) => {
    const lost = (error: Error) => options.logger.warn({ err: error, role }, 'a database connection was lost');
    // Without a listener a connection that is lost while it is in use would end the process.
    client.on('error', lost);
    statements.set(client, new Map());
  });
  pool.on('remove', (client) => statements.delete(client));
  // Lost while idle: the listener above has logged it.
  pool.on('error', () => undefined);

  return {
    async use(work) {
      const client = await pool.connect().catch((cause: unknown) => {
        throw new DatabaseError(cause, false);
      });
      const connection = pooledConnection(client, statements.get(client) ?? new Map());
      try {
        return await work(connection);
      } finally {
        connection.release();
      }
    },
    async end() {
      const cut = setTimeout(() => {
        for (const client of statements.keys()) client.connection.stream.destroy();
      }, CLOSE_GRACE);
      // The pool says that it has ended when it has said good-bye; a server that is stopped then still sees the sessions.
      const closed = [...statements.keys()].map((client) => new Promise((resolve) => client.once('end', resolve)));
      await pool.end();
      await Promise.all(closed);
      clearTimeout(cut);
    },
  };
}

/** What `pg` needs for a connection as `role`. */
export function clientConfig(login: Login, role: Role | 'owner', tuning: Tuning): ClientConfig {
  const statementTimeout = role === 'owner' ? 0 : (tuning.statementTimeouts?.[role] ?? STATEMENT_TIMEOUTS[role]);
  return {
    host: login.host,
    port: login.port,
    database: login.database,
    user: login.user,
    ...(login.password === undefined ? {} : { password: login.password }),
    ssl: login.ssl,
    application_name: `${tuning.applicationName ?? 'medseal'} ${role}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    types: valueParsers(),
    // Instants are read as text; see values.ts.
    options: '-c timezone=UTC',
    ...(statementTimeout === 0
      ? {}
      : {
          statement_timeout: statementTimeout,
          idle_in_transaction_session_timeout: statementTimeout + 30_000,
          // For a server that stops answering altogether: the connection is given up.
          query_timeout: statementTimeout + 5_000,
        }),
  };
}
