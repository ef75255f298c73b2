/** Databases of an older and of a newer version: a start upgrades the one and refuses the other. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { createBackup } from '../../src/interactions/backup/backup.ts';
import { silentLogger } from '../../src/logger.ts';
import { loadMasterKey } from '../../src/sealing/master-key.ts';
import { openExternalDatabase } from '../../src/storage/database/external.ts';
import { MIGRATIONS, readAllMigrations } from '../../src/storage/database/open.ts';
import { medseal } from '../cli/medseal.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { accepted, clientOf, observation, patient } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

async function onKeys<Row>(node: TestNode, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: node.databases?.keysUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function writeRecords(node: TestNode): Promise<readonly string[]> {
  const hospital = clientOf(node, 'hospital-a');
  await accepted(hospital.put('Patient/u', patient('u', '一')));
  await accepted(hospital.put('Observation/u', observation('u', 'Patient/u', 1)));
  await untilAnchored(node);
  return readAll(node);
}

const PATHS = ['Patient/u', 'Observation/u', 'Observation?subject=Patient/u'];

async function readAll(node: TestNode): Promise<readonly string[]> {
  const hospital = clientOf(node, 'hospital-a');
  const answers = await Promise.all(PATHS.map((path) => hospital.get(path)));
  return answers.map(({ status, text }) => `${status} ${text}`);
}

/** The key service's database as the version before `0002_retired_keks.sql` had it, with the data of today. */
async function makeKeysOld(node: TestNode): Promise<void> {
  await onKeys(node, 'alter table kek drop column retired_at');
  await onKeys(node, 'delete from schema_migration where number >= 2');
}

test('a start brings a database with data from the migration before to the newest one', async (context) => {
  const node = await startTestNode(context);
  const before = await writeRecords(node);
  await node.stop();
  await makeKeysOld(node);
  await node.restart();
  assert.deepEqual(await readAll(node), before);
  const { keys } = await readAllMigrations();
  assert.deepEqual(
    (await onKeys<{ file: string }>(node, 'select file from schema_migration order by number')).map(({ file }) => file),
    keys.map(({ file }) => file),
  );
  await accepted(clientOf(node, 'hospital-a').put('Observation/u', observation('u', 'Patient/u', 2)));
  await untilAnchored(node);
  assert.deepEqual(await scrubFindings(node), []);
});

test('an older server refuses databases of a newer version, and leaves them as they are', async (context) => {
  const node = await startTestNode(context);
  const before = await writeRecords(node);
  await node.stop();
  // What a later version brings: all migrations of this one, and one more.
  const newer = await temporaryDirectory();
  const migrations = { records: join(newer, 'records'), keys: MIGRATIONS.keys };
  mkdirSync(migrations.records);
  for (const file of readdirSync(MIGRATIONS.records)) {
    copyFileSync(join(MIGRATIONS.records, file), join(migrations.records, file));
  }
  writeFileSync(
    join(migrations.records, '9000_ward.sql'),
    `alter table resource_version add column ward text not null default 'A'; create index ward on resource_version (ward)`,
  );
  const { recordsUrl = '', keysUrl = '' } = node.databases ?? {};
  const upgraded = await openExternalDatabase({ recordsUrl, keysUrl, migrations, logger: silentLogger });
  const rows = await upgraded.query<{ ward: string }>('writer', 'select ward from resource_version', []);
  await upgraded.close();
  assert.ok(rows.length > 0 && rows.every(({ ward }) => ward === 'A'));

  await assert.rejects(node.restart(), /migrated by a newer version of MedSeal: it has 9000_ward\.sql/);
  assert.equal((await onRecords(node, 'select ward from resource_version')).length, rows.length);
  await onRecords(
    node,
    'alter table resource_version drop column ward; delete from schema_migration where number = 9000',
  );
  await node.restart();
  assert.deepEqual(await readAll(node), before);
});

test('a backup of an older version is restored as it was, and brought up to date by the next start', async (context) => {
  const node = await startTestNode(context);
  const before = await writeRecords(node);
  const directory = join(await temporaryDirectory(), 'backup');
  assert.equal((await medseal(['backup', directory], { dataDirectory: node.dataDirectory })).exitCode, 0);
  await node.stop();
  await makeKeysOld(node);

  // As that version would have made it.
  const old = await temporaryDirectory();
  copyFileSync(join(MIGRATIONS.keys, '0001_keys.sql'), join(old, '0001_keys.sql'));
  const { recordsUrl = '', keysUrl = '' } = node.databases ?? {};
  const known = await readAllMigrations();
  const database = await openExternalDatabase({
    recordsUrl,
    keysUrl,
    migrations: { records: MIGRATIONS.records, keys: old },
    logger: silentLogger,
  });
  const backup = createBackup({
    database,
    keys: { secret: async () => randomBytes(32) },
    master: loadMasterKey(join(node.dataDirectory, 'master.key')),
    migrations: { ...known, keys: known.keys.slice(0, 1) },
    now: Date.now,
    logger: silentLogger,
  });
  const lines = await Array.fromAsync(backup.run('keys'));
  await database.close();
  assert.doesNotMatch(JSON.stringify(lines[0]), /retired/);
  writeFileSync(join(directory, 'keys.backup'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

  await onKeys(node, 'drop table kek, secret, schema_migration');
  const tables = await onRecords<{ name: string }>(
    node,
    `select schemaname || '.' || tablename as name from pg_tables
     where schemaname in ('public', 'ledger') and tablename <> 'schema_migration'`,
  );
  await onRecords(node, `truncate ${tables.map(({ name }) => name).join(', ')}`);
  const run = await medseal(['restore', directory], {
    dataDirectory: node.dataDirectory,
    env: { MEDSEAL_DATABASE_URL: recordsUrl, MEDSEAL_KEY_DATABASE_URL: keysUrl },
  });
  assert.equal(run.exitCode, 0, run.stderr);
  assert.deepEqual(await onKeys(node, 'select file from schema_migration'), [{ file: '0001_keys.sql' }]);
  await node.restart();
  assert.deepEqual(await readAll(node), before);
  assert.equal((await onKeys(node, 'select retired_at from kek where retired_at is null')).length > 0, true);
});
