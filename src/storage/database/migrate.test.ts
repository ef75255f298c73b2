import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { temporaryDirectory } from '../../../conformance/support/temporary-directory.ts';
import { createDatabasePair } from '../../../conformance/support/test-database.ts';
import { silentLogger } from '../../logger.ts';
import { openExternalDatabase } from './external.ts';
import { readMigrations } from './migrate.ts';

/** A directory of migrations to change, and databases to apply them to. */
async function setUp() {
  const directory = await temporaryDirectory();
  const migrations = { records: join(directory, 'records'), keys: join(directory, 'keys') };
  for (const each of Object.values(migrations)) await mkdir(each);
  const pair = await createDatabasePair(migrations);
  const write = (file: string, sql: string) => writeFile(join(migrations.records, file), sql);
  const applied: object[] = [];
  const logger = { ...silentLogger, info: (fields: object) => applied.push(fields) };
  const open = () => openExternalDatabase({ ...pair, migrations, logger });
  const start = async () => (await open()).close();
  const query = async (text: string) => {
    const client = new Client({ connectionString: pair.recordsUrl });
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(text);
    await client.end();
    return rows;
  };
  return { directory: migrations.records, pair, write, start, query, applied };
}

test('migrations are applied once, in order, and later ones when they come', async () => {
  const { pair, write, start, query, applied } = await setUp();
  await write('0002_second.sql', 'insert into t values (2); select 1');
  await write('0001_first.sql', 'create table t (n integer); insert into t values (1)');
  await start();
  await start();
  await write('0010_third.sql', 'insert into t select max(n) + 1 from t');
  await start();
  assert.deepEqual(await query('select n from t order by n'), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  const files = ['0001_first.sql', '0002_second.sql', '0010_third.sql'];
  assert.deepEqual(
    await query('select file, length(sha256) as length from schema_migration order by number'),
    files.map((file) => ({ file, length: 64 })),
  );
  assert.deepEqual(
    applied,
    files.map((migration) => ({ migration })),
  );
  await pair.drop();
});

test('several servers that start at once apply each migration once', async () => {
  const { pair, write, start, query } = await setUp();
  await write('0001_first.sql', 'create table t (n integer)');
  await write('0002_second.sql', 'insert into t select 1 from pg_sleep(0.2)');
  await Promise.all([start(), start(), start()]);
  assert.deepEqual(await query('select n from t'), [{ n: 1 }]);
  await pair.drop();
});

test('a changed, missing, late or unknown migration stops the start', async () => {
  const { directory, pair, write, start, query } = await setUp();
  const refused = (message: RegExp) => assert.rejects(start(), { code: 'invalid-configuration', message });
  await write('0001_first.sql', 'create table t (n integer)');
  await write('0003_third.sql', 'select 3');
  await start();
  await write('0001_first.sql', 'create table t (n integer) ');
  await refused(/0001_first\.sql was changed/);
  await rm(join(directory, '0001_first.sql'));
  await refused(/0001_first\.sql was applied .* gone/);
  await write('0001_first.sql', 'create table t (n integer)');
  await write('0002_second.sql', 'select 2');
  await refused(/0002_second\.sql comes before/);
  await rm(join(directory, '0002_second.sql'));
  await rename(join(directory, '0003_third.sql'), join(directory, '..', 'away.sql'));
  await refused(/newer version of MedSeal: it has 0003_third\.sql/);
  await rename(join(directory, '..', 'away.sql'), join(directory, '0003_third.sql'));
  await start();
  assert.equal((await query('select from schema_migration')).length, 2);
  await pair.drop();
});

test('a migration that fails leaves nothing of itself, and is named', async () => {
  const { pair, write, start, query } = await setUp();
  await write('0001_first.sql', 'create table t (n integer)');
  await write('0002_second.sql', 'insert into t values (1); insert into t values (1 / 0)');
  await assert.rejects(start(), { code: 'internal', message: /0002_second\.sql failed/ });
  assert.deepEqual(await query('select n from t'), []);
  await write('0002_second.sql', 'insert into t values (2)');
  await start();
  assert.deepEqual(await query('select n from t'), [{ n: 2 }]);
  await pair.drop();
});

test('a directory with a file of another name, or a number used twice, is refused', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, '0001_first.sql'), '');
  await writeFile(join(directory, 'README.md'), '');
  assert.equal((await readMigrations(directory)).length, 1);
  for (const name of ['0001_again.sql', '2_short.sql', '0000_zero.sql', '00002_long.sql', '0002-dash.sql']) {
    await writeFile(join(directory, name), '');
    await assert.rejects(readMigrations(directory), { code: 'invalid-configuration' }, name);
    await rm(join(directory, name));
  }
});
