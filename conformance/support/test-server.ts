import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { startServer } from '../../src/storage/database/embedded/server.ts';
import type { Login } from '../../src/storage/database/postgres.ts';

/** A PostgreSQL for tests, on a temporary cluster. */
export interface TestServer {
  /** Connects as the superuser: the value of MEDSEAL_TEST_POSTGRES. */
  readonly url: string;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL as the embedded adapter does, but without syncing to disk, which tests of other things need not wait
 * for. Pass `settings` to have it otherwise.
 */
export async function startTestServer(
  settings: Readonly<Record<string, string>> = { fsync: 'off' },
  logger: Logger = silentLogger,
): Promise<TestServer> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'medseal-pg-')));
  await chmod(directory, 0o711);
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    // Every test database has three pools of its own.
    const server = await startServer(directory, logger, { max_connections: '300', ...settings });
    const stop = () => server.stop().then(remove);
    return { url: urlOf(server.login('postgres', 'postgres')), stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** As `pg` reads it; the host may be the directory of a Unix socket. */
function urlOf({ user, password, host, port, database }: Login): string {
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  return `postgres://${user}${secret}@${encodeURIComponent(host)}:${port}/${database}`;
}
