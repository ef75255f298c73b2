import { rm, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from '../../../logger.ts';
import { writeDurably } from '../../files.ts';
import { clientConfig, type Login } from '../postgres.ts';
import { findInstallation, usableBinaries } from './binaries.ts';
import { ensureCluster, SUPERUSER } from './cluster.ts';
import { findHome, type Home, socketDirectory } from './home.ts';
import { type Launch, launch, type Postmaster } from './postmaster.ts';
import { HOST_BASED_AUTHENTICATION, serverSettings } from './settings.ts';

/** A running PostgreSQL of our own. */
export interface Server {
  /** How `user` connects to `database`: through the Unix socket, without a password. */
  login(user: string, database: string): Login;
  /** Free bytes where the database files lie. */
  freeBytes(): Promise<number>;
  /** Idempotent; resolves when no process of it is left. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on the cluster that belongs to `dataDirectory`, which it makes the first time, and starts it again
 * whenever it ends by itself. The caller holds the lock on the data directory.
 *
 * @param extraSettings PostgreSQL settings that win over ours
 */
export async function startServer(
  dataDirectory: string,
  logger: Logger,
  extraSettings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const home = await findHome(dataDirectory, logger);
  const binaries = await usableBinaries(await findInstallation(), home.account, home.directory);
  await ensureCluster(home, binaries);
  const sockets = await socketDirectory(home);
  const settings = await writeSettings(home, sockets, extraSettings);
  const login = (user: string, database: string): Login => ({
    host: sockets,
    port: PORT,
    user,
    database,
    password: undefined,
    ssl: false,
  });
  const isReady = () => answers(login(SUPERUSER, 'postgres'));
  const { cluster, account } = home;
  const stop = await keepRunning({ postgres: binaries.postgres, cluster, settings, account, isReady }, logger);
  return {
    login,
    async freeBytes() {
      const { bavail, bsize } = await statfs(home.directory);
      return bavail * bsize;
    },
    async stop() {
      await stop();
      await rm(sockets, { recursive: true, force: true });
    },
  };
}

/** Only names the socket, as no network is listened on. */
const PORT = 5432;

/** Answers with the path of postgresql.conf. */
async function writeSettings(
  { directory }: Home,
  sockets: string,
  extraSettings: Readonly<Record<string, string>>,
): Promise<string> {
  const access = join(directory, 'pg_hba.conf');
  const settings = join(directory, 'postgresql.conf');
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const files = {
    [access]: HOST_BASED_AUTHENTICATION,
    [settings]: serverSettings({ sockets, access, memory }, extraSettings),
  };
  for (const [path, text] of Object.entries(files)) {
    await writeDurably(path, async (file) => {
      await file.writeFile(text);
      // For the server's account; there is nothing secret in it.
      await file.chmod(0o644);
    });
  }
  return settings;
}

async function answers(login: Login): Promise<boolean> {
  const client = new Client(clientConfig(login, 'owner', {}));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    // Not listening yet, or 57P03: still starting up. The caller gives up when that goes on for too long.
    return false;
  } finally {
    await client.end();
  }
}

const RESTART_PAUSE_MS = 2_000;

/** Launches, and launches again until the returned function is called. */
async function keepRunning(options: Launch, logger: Logger): Promise<() => Promise<void>> {
  let current: Postmaster = await launch(options);
  let stopping = false;
  const supervised = supervise();

  async function supervise(): Promise<void> {
    for (;;) {
      await current.ended;
      if (stopping) return;
      logger.error({}, 'the embedded database ended unexpectedly and is started again');
      try {
        current = await launch(options);
        if (stopping) await current.stop();
      } catch (error) {
        logger.error({ err: error }, 'the embedded database cannot be started again');
        await delay(RESTART_PAUSE_MS);
      }
    }
  }

  return async () => {
    stopping = true;
    await current.stop();
    await supervised;
  };
}
