import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { administer, type Connection } from '../../src/cli/connection.ts';
import { storeClient } from '../../src/cli/data-directory.ts';
import { generateClientKey } from '../../src/cli/operator.ts';
import { INSTITUTIONS, PARTICIPANTS, type Participant } from '../../src/demo/participants.ts';

export type Environment = Readonly<Record<string, string>>;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'src/main.ts');

/** The flags that `npm start` gives to Node. */
function startFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('-'));
}

/** The institutions and clients of the demonstration, without its records. */
export async function addParticipants(connection: Connection, own: readonly string[] = INSTITUTIONS): Promise<void> {
  for (const id of own) await administer(connection, 'POST', '/admin/institutions', { id });
  for (const participant of PARTICIPANTS) {
    if (own.includes(participant.institution)) await addClient(connection, participant);
  }
}

/** Registers a client; its private key lies in the data directory, for `medseal token`. */
export async function addClient(connection: Connection, client: Participant): Promise<void> {
  const { id, scopes } = client;
  const { publicJwks, privateKey } = await generateClientKey();
  await administer(connection, 'POST', '/admin/clients', { ...client, jwks: publicJwks });
  storeClient(connection.directory, id, { clientId: id, privateKey, scope: scopes.join(' ') });
}

/** The main process of the node's own PostgreSQL, by its lock file. */
export function databaseProcess(dataDirectory: string): number | undefined {
  const pointer = join(dataDirectory, 'database.json');
  const home = existsSync(pointer)
    ? (JSON.parse(readFileSync(pointer, 'utf8')) as { directory: string }).directory
    : join(dataDirectory, 'database');
  const lock = join(home, 'cluster', 'postmaster.pid');
  return existsSync(lock) ? Number.parseInt(readFileSync(lock, 'utf8'), 10) : undefined;
}

/** A server as a child process of this one. */
export interface ServerProcess {
  readonly pid: number;
  /** The URL that it says it is ready at. @throws when it ends instead, with what it wrote */
  ready(): Promise<string>;
  output(): string;
  log(): string;
  readonly ended: Promise<void>;
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Runs src/main.ts as `npm start` does.
 *
 * @param settings environment variables; what configures this process's own surroundings is not passed on
 * @param flags further ones for Node
 */
export function startServerProcess(
  args: readonly string[],
  settings: Environment,
  flags: readonly string[] = [],
): ServerProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(MEDSEAL_|HOST$|NODE_TEST_)/.test(name));
  const child: ChildProcess = spawn(process.execPath, [...startFlags(), ...flags, MAIN, ...args], {
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
    pid: child.pid ?? 0,
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
