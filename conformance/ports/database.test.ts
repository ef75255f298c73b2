import assert from 'node:assert/strict';
import { realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { type PortProxy, startProxy } from '../support/proxy.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestServer } from '../support/test-server.ts';
import { databaseContract } from './database-contract.ts';
import { type DatabaseHarness, databaseError, notes, ownName } from './database-harness.ts';
import { openPlace } from './database-process.ts';

databaseContract('embedded', async () => {
  const dataDirectory = await realpath(await temporaryDirectory());
  const socket = encodeURIComponent(join(dataDirectory, 'database', 'socket'));
  return {
    place: { kind: 'embedded', dataDirectory },
    superuserUrl: async () => `postgres://postgres@${socket}/medseal`,
    close: async () => undefined,
  };
});

databaseContract('external', async () => (await externalPostgres()).harness);

test('external: an answer to COMMIT that is lost leaves the outcome unknown, and the row is there', async () => {
  const { harness, proxy } = await externalPostgres();
  const database = await openPlace(harness.place);
  const own = ownName();
  proxy.loseAnswer('commit', 'COMMIT');
  await assert.rejects(
    database.transaction('writer', (sql) => sql.query('insert into note (name) values ($1)', [own])),
    databaseError({ code: 'storage-unavailable', outcomeUnknown: true }),
  );
  assert.deepEqual(await notes(database, own), [own]);
  await database.close();
  await harness.close();
});

/**
 * A PostgreSQL as an operator would have it: reached through TCP, with passwords, and two databases whose owner is no
 * superuser but may create roles.
 */
async function externalPostgres(): Promise<{ harness: DatabaseHarness; proxy: PortProxy }> {
  const server = await startTestServer({});
  const socket = decodeURIComponent(new URL(server.url).hostname);
  const proxy = await startProxy(join(socket, '.s.PGSQL.5432'));
  const access = join(await temporaryDirectory(), 'pg_hba.conf');
  await writeFile(access, 'local all all scram-sha-256\n', { mode: 0o644 });
  const superuser = new Client({ connectionString: server.url });
  await superuser.connect();
  for (const statement of [
    `alter role postgres password '${PASSWORD}'`,
    `create role hospital login createrole password '${PASSWORD}'`,
    'create database records owner hospital',
    'create database keys owner hospital',
    `alter system set hba_file = '${access}'`,
    'select pg_reload_conf()',
  ]) {
    await superuser.query(statement);
  }
  await superuser.end();
  const url = (user: string, database: string) => `postgres://${user}:${PASSWORD}@127.0.0.1:${proxy.port}/${database}`;
  return {
    harness: {
      place: { kind: 'external', recordsUrl: url('hospital', 'records'), keysUrl: url('hospital', 'keys') },
      superuserUrl: async () => url('postgres', 'records'),
      close: async () => {
        await proxy.close();
        await server.stop();
      },
    },
    proxy,
  };
}

const PASSWORD = 'a%40b';
