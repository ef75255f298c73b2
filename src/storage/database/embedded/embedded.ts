import { chmod, mkdir, realpath } from 'node:fs/promises';
import { Client } from 'pg';
import type { Logger } from '../../../logger.ts';
import { lockDirectory } from '../../directory-lock.ts';
import { DatabaseError } from '../database-error.ts';
import { type DatabaseOptions, type Owners, openDatabases } from '../open.ts';
import type { Database } from '../port.ts';
import { clientConfig, type Login } from '../postgres.ts';
import { SUPERUSER } from './cluster.ts';
import { type Server, startServer } from './server.ts';

export interface EmbeddedOptions extends DatabaseOptions {
  /** `MEDSEAL_DATA`; created when missing. Where it is entered by its owner only and we are root, see home.ts. */
  readonly dataDirectory: string;
}

/**
 * Starts PostgreSQL in the data directory and opens both databases there. `close` stops it.
 *
 * @throws MedSealError `invalid-configuration` when another process uses the data directory, when there are no binaries
 *   for this machine, or as `migrate`; `storage-unavailable` when PostgreSQL does not start
 */
export async function openEmbeddedDatabase(options: EmbeddedOptions): Promise<Database> {
  const { owners, freeBytes, stop } = await startEmbedded(options.dataDirectory, options.logger);
  try {
    const database = await openDatabases(owners, freeBytes, options);
    let closing: Promise<void> | undefined;
    const close = () => {
      closing ??= database.close().then(stop);
      return closing;
    };
    return { ...database, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface Embedded {
  readonly owners: Owners;
  readonly freeBytes: () => Promise<number>;
  stop(): Promise<void>;
}

/** Starts PostgreSQL with both databases, as they are: not migrated yet, the first time empty. @throws as above */
export async function startEmbedded(directory: string, logger: Logger): Promise<Embedded> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  // As root: the database server's account must get through to its own directory.
  if (made !== undefined && process.getuid?.() === 0) await chmod(directory, 0o711);
  const dataDirectory = await realpath(directory);
  const lock = lockDirectory(dataDirectory);
  let server: Server | undefined;
  const stop = async () => {
    await server?.stop();
    lock.release();
  };
  try {
    server = await startServer(dataDirectory, logger);
    await createDatabases(server.login(SUPERUSER, 'postgres'));
    const owners = { records: server.login(OWNER, 'medseal'), keys: server.login(OWNER, 'medseal_keys') };
    return { owners, freeBytes: server.freeBytes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const OWNER = 'medseal_owner';

/** The first time, or again after a first time that was cut short. */
async function createDatabases(superuser: Login): Promise<void> {
  const client = new Client(clientConfig(superuser, 'owner', {}));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>('select datname as name from pg_database');
    const existing = new Set(rows.map(({ name }) => name));
    if (existing.has('medseal') && existing.has('medseal_keys')) return;
    await client.query(
      `do $$ begin
         if not exists (select from pg_roles where rolname = '${OWNER}') then
           create role ${OWNER} login createrole;
         end if;
       end $$;
       revoke all on database postgres, template1 from public`,
    );
    for (const name of ['medseal', 'medseal_keys']) {
      if (!existing.has(name)) await client.query(`create database ${name} owner ${OWNER}`);
    }
  } catch (cause) {
    throw new DatabaseError(cause, false);
  } finally {
    await client.end();
  }
}
