import { hash, randomUUID } from 'node:crypto';
import { after, type TestContext } from 'node:test';
import { Client } from 'pg';
import { silentLogger } from '../../src/logger.ts';
import { openExternalDatabase } from '../../src/storage/database/external.ts';
import { readMigrations } from '../../src/storage/database/migrate.ts';
import { type DatabaseOptions, MIGRATIONS } from '../../src/storage/database/open.ts';
import type { Database } from '../../src/storage/database/port.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export interface TestDatabase {
  readonly database: Database;
  /** URLs of the superuser, for what the three logins may not do. */
  readonly recordsUrl: string;
  readonly keysUrl: string;
}

/**
 * A pair of databases of this test's own, migrated, dropped after the test. The server is the one that
 * MEDSEAL_TEST_POSTGRES names (the runner starts it), or else one that this process starts and ends.
 *
 * @param test a test's context, or `{ after }` of `node:test` for a whole file
 */
export async function testDatabase(
  test: Pick<TestContext, 'after'>,
  options: Partial<DatabaseOptions> = {},
): Promise<TestDatabase> {
  const pair = await createDatabasePair(options.migrations ?? MIGRATIONS);
  const database = await openExternalDatabase({ logger: silentLogger, ...options, ...pair });
  test.after(async () => {
    await database.close();
    await pair.drop();
  });
  return { database, ...pair };
}

export interface DatabasePair {
  readonly recordsUrl: string;
  readonly keysUrl: string;
  drop(): Promise<void>;
}

/** Two databases copied from templates, which are migrated once per server; not opened yet. */
export async function createDatabasePair(migrations: Migrations): Promise<DatabasePair> {
  const server = await serverUrl();
  const template = await ensureTemplates(server, migrations);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asSuperuser(server, async (client) => {
    await client.query(`create database ${name} template ${template}`);
    await client.query(`create database ${name}_keys template ${template}_keys`);
  });
  return {
    recordsUrl: withDatabase(server, name),
    keysUrl: withDatabase(server, `${name}_keys`),
    drop: () =>
      asSuperuser(server, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`);
        await client.query(`drop database if exists ${name}_keys with (force)`);
      }),
  };
}

type Migrations = NonNullable<DatabaseOptions['migrations']>;

/** The name of the template for the records; the one for the keys ends in `_keys`. */
async function ensureTemplates(server: string, migrations: Migrations): Promise<string> {
  const sets = await Promise.all([readMigrations(migrations.records), readMigrations(migrations.keys)]);
  const contents = JSON.stringify(sets.map((set) => set.map(({ file, sha256 }) => [file, sha256])));
  const template = `template_${hash('sha256', contents).slice(0, 16)}`;
  await asSuperuser(server, async (client) => {
    // Several test files come here at once.
    await client.query('select pg_advisory_lock(hashtext($1))', [template]);
    const { rows } = await client.query('select from pg_database where datname = $1', [template]);
    if (rows.length > 0) return;
    for (const name of [`${template}_new`, `${template}_keys_new`]) {
      await client.query(`drop database if exists ${name} with (force)`);
      await client.query(`create database ${name}`);
    }
    const database = await openExternalDatabase({
      logger: silentLogger,
      migrations,
      recordsUrl: withDatabase(server, `${template}_new`),
      keysUrl: withDatabase(server, `${template}_keys_new`),
    });
    await database.close();
    await client.query(`alter database ${template}_keys_new rename to ${template}_keys`);
    await client.query(`alter database ${template}_new rename to ${template}`);
  });
  return template;
}

let ownServer: Promise<TestServer> | undefined;
after(async () => (await ownServer)?.stop());

async function serverUrl(): Promise<string> {
  const given = process.env.MEDSEAL_TEST_POSTGRES;
  if (given !== undefined) return given;
  ownServer ??= startTestServer();
  return (await ownServer).url;
}

function withDatabase(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

async function asSuperuser(server: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
