import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../src/cli/connection.ts';
import { accessToken } from '../../src/cli/token.ts';
import { MIGRATIONS } from '../../src/storage/database/open.ts';
import { addParticipants, databaseProcess, type Environment, startServerProcess } from './server-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { createDatabasePair, type DatabasePair } from './test-database.ts';

/** A whole server as a process of its own. */
export interface TestNode {
  /** Where it listens, without a trailing slash; the same after a restart. */
  readonly url: string;
  /** MEDSEAL_DATA */
  readonly dataDirectory: string;
  /** URLs of the databases' superuser; undefined when PostgreSQL is the node's own. */
  readonly databases: Pick<DatabasePair, 'recordsUrl' | 'keysUrl'> | undefined;
  /** What it has written to standard output, and to standard error, since its last start. */
  readonly output: () => string;
  readonly log: () => string;
  /** An access token of a client, as `medseal token` gives it: `hospital-a`, `patient:ID`, … */
  token(client: string): Promise<string>;
  /** Ends the server, and its own PostgreSQL, as a power cut would. */
  kill9(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
  /** Resolves when the process is gone, as after a fault drill. */
  ended(): Promise<void>;
  /** Starts it again, after stopping it where it runs; with `env` instead of the first one. */
  restart(env?: Environment): Promise<void>;
}

export interface TestNodeOptions {
  /** `npm start -- --demo` */
  readonly demo?: boolean;
  /** Further environment variables. */
  readonly env?: Environment;
  /**
   * `shared` (unless said otherwise): a pair of databases on the tests' PostgreSQL, quick and not durable. `embedded`:
   * PostgreSQL of its own, as `npm start` has it. Or URLs of two databases that are there.
   */
  readonly database?: 'shared' | 'embedded' | NonNullable<TestNode['databases']>;
  /** No institutions and no clients but the operator's. Otherwise those of the demonstration are there. */
  readonly bare?: boolean;
  /** Of the demonstration's institutions and clients only these; for several nodes on one ledger. */
  readonly institutions?: readonly string[];
  /** Further flags for Node. */
  readonly flags?: readonly string[];
  /** A replica of this node: on its databases, with its keys and clients, under its address; its content is its own. */
  readonly replicaOf?: TestNode;
}

/** Starts src/main.ts on a free port; it ends with the test. @param test a test's context, or `{ after }` for a file */
export async function startTestNode(
  test: { after(hook: () => Promise<void>): void },
  options: TestNodeOptions = {},
): Promise<TestNode> {
  const dataDirectory = join(await temporaryDirectory(), 'data');
  const { replicaOf } = options;
  const pair = replicaOf === undefined ? await databasesOf(options) : undefined;
  const databases = replicaOf?.databases ?? pair;
  const shared = replicaOf === undefined ? {} : replicaSettings(replicaOf, dataDirectory);
  const start = (port: string, env: Environment = {}) =>
    startServerProcess(
      options.demo ? ['--demo'] : [],
      {
        MEDSEAL_DATA: dataDirectory,
        PORT: port,
        LOG_LEVEL: 'warn',
        ...(databases && { MEDSEAL_DATABASE_URL: databases.recordsUrl, MEDSEAL_KEY_DATABASE_URL: databases.keysUrl }),
        ...shared,
        ...env,
      },
      options.flags,
    );
  let current = start('0', options.env);
  test.after(async () => {
    await current.end('SIGTERM');
    await pair?.drop?.().catch(unlessGone);
  });
  const url = await current.ready();
  const connection = () => connect(dataDirectory);
  if (options.demo !== true && options.bare !== true && replicaOf === undefined)
    await addParticipants(connection(), options.institutions);

  return {
    url,
    dataDirectory,
    databases,
    output: () => current.output(),
    log: () => current.log(),
    token: (client) => accessToken(connection(), client),
    async kill9() {
      const database = databases === undefined ? databaseProcess(dataDirectory) : undefined;
      const ended = current.end('SIGKILL');
      if (database !== undefined) process.kill(database, 'SIGKILL');
      await ended;
    },
    stop: () => current.end('SIGTERM'),
    ended: () => current.ended,
    async restart(env = options.env) {
      await current.end('SIGTERM');
      current = start(new URL(url).port, env);
      await current.ready();
    },
  };
}

async function databasesOf({
  database = 'shared',
}: TestNodeOptions): Promise<(NonNullable<TestNode['databases']> & Partial<DatabasePair>) | undefined> {
  if (database === 'shared') return createDatabasePair(MIGRATIONS);
  return database === 'embedded' ? undefined : database;
}

/** The tests' own PostgreSQL ends with the file, before or after this. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') throw error;
}

function replicaSettings({ dataDirectory, url }: TestNode, own: string): Environment {
  cpSync(join(dataDirectory, 'clients'), join(own, 'clients'), { recursive: true });
  return { MEDSEAL_PUBLIC_URL: url, MEDSEAL_MASTER_KEY_FILE: join(dataDirectory, 'master.key') };
}
