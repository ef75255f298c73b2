import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { administer, type Connection, connect } from '../../src/cli/connection.ts';
import { storeClient } from '../../src/cli/data-directory.ts';
import { generateClientKey } from '../../src/cli/operator.ts';
import { accessToken } from '../../src/cli/token.ts';
import { INSTITUTIONS, PARTICIPANTS } from '../../src/demo/participants.ts';
import { MIGRATIONS } from '../../src/storage/database/open.ts';
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

type Environment = Readonly<Record<string, string>>;

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
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const FLAGS = ['--max-old-space-size=220', '--max-semi-space-size=8'];

/** Starts src/main.ts on a free port; it ends with the test. @param test a test's context, or `{ after }` for a file */
export async function startTestNode(
  test: { after(hook: () => Promise<void>): void },
  options: TestNodeOptions = {},
): Promise<TestNode> {
  const dataDirectory = join(await temporaryDirectory(), 'data');
  const pair = await databasesOf(options);
  const start = (port: string, env: Environment = {}) =>
    startProcess(options.demo ? ['--demo'] : [], {
      MEDSEAL_DATA: dataDirectory,
      PORT: port,
      LOG_LEVEL: 'warn',
      ...(pair && { MEDSEAL_DATABASE_URL: pair.recordsUrl, MEDSEAL_KEY_DATABASE_URL: pair.keysUrl }),
      ...env,
    });
  let current = start('0', options.env);
  test.after(async () => {
    await current.end('SIGTERM');
    await pair?.drop?.().catch(unlessGone);
  });
  const url = await current.ready();
  const connection = () => connect(dataDirectory);
  if (options.demo !== true && options.bare !== true) await addParticipants(connection());

  return {
    url,
    dataDirectory,
    databases: pair,
    output: () => current.output(),
    log: () => current.log(),
    token: (client) => accessToken(connection(), client),
    async kill9() {
      const database = pair === undefined ? databaseProcess(dataDirectory) : undefined;
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

/** The institutions and clients of the demonstration, without its records. */
async function addParticipants(connection: Connection): Promise<void> {
  for (const id of INSTITUTIONS) await administer(connection, 'POST', '/admin/institutions', { id });
  for (const participant of PARTICIPANTS) {
    const { id, scopes } = participant;
    const { publicJwks, privateKey } = await generateClientKey();
    await administer(connection, 'POST', '/admin/clients', { ...participant, jwks: publicJwks });
    storeClient(connection.directory, id, { clientId: id, privateKey, scope: scopes.join(' ') });
  }
}

/** The main process of the node's own PostgreSQL, by its lock file. */
function databaseProcess(dataDirectory: string): number | undefined {
  const pointer = join(dataDirectory, 'database.json');
  const home = existsSync(pointer)
    ? (JSON.parse(readFileSync(pointer, 'utf8')) as { directory: string }).directory
    : join(dataDirectory, 'database');
  const lock = join(home, 'cluster', 'postmaster.pid');
  return existsSync(lock) ? Number.parseInt(readFileSync(lock, 'utf8'), 10) : undefined;
}

/** The tests' own PostgreSQL ends with the file, before or after this. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') throw error;
}

interface NodeProcess {
  /** The URL that it says it is ready at. @throws when it ends instead, with what it wrote */
  ready(): Promise<string>;
  output(): string;
  log(): string;
  readonly ended: Promise<void>;
  end(signal: NodeJS.Signals): Promise<void>;
}

function startProcess(args: readonly string[], settings: Environment): NodeProcess {
  // What configures the tests' own surroundings is not for the server.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MEDSEAL_|HOST$|NODE_TEST_)/.test(name));
  const child: ChildProcess = spawn(process.execPath, [...FLAGS, MAIN, ...args], {
    env: { ...Object.fromEntries(inherited), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let log = '';
  const guard = spawnGuard(child.pid ?? 0);
  const ended = once(child, 'close').then(() => void guard.kill());
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const url = Promise.withResolvers<string>();
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      if (line.startsWith('ready ')) url.resolve(line.slice('ready '.length));
    });
  }
  return {
    ready: () =>
      Promise.race([
        url.promise,
        ended.then(() => Promise.reject(new Error(`The server ended before it was ready:\n${log}`))),
      ]),
    output: () => output,
    log: () => log,
    ended,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

/** Ends the server when this process is gone, however that came: its standard input closes then. */
function spawnGuard(server: number): ChildProcess {
  const script = 'read -r _; kill -TERM "$1"';
  return spawn('/bin/sh', ['-c', script, 'test-node-guard', String(server)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}
