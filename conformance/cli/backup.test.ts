/** `medseal backup` and `medseal restore`. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { Client } from 'pg';
import { callAdministration, connect } from '../../src/cli/connection.ts';
import { jsonLines } from '../../src/cli/json-lines.ts';
import { researchConsent } from '../../src/demo/consent.ts';
import type { RebuildEvent } from '../../src/interactions/rebuild/events.ts';
import { accepted, clientOf, observation, patient, writesOf } from '../faults/node-records.ts';
import { onRecords, untilAnchored } from '../faults/records-database.ts';
import { scrubFindings } from '../faults/scrub.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode, type TestNode, type TestNodeOptions } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { medseal, type Run } from './medseal.ts';

const NAME = '欧阳震华';

/** Records of every kind of row: of one patient and two, large ones, a deletion, a consent, what was read. */
async function writeRecords(node: TestNode): Promise<void> {
  const hospital = clientOf(node, 'hospital-a');
  for (const id of ['p1', 'p2']) await accepted(hospital.put(`Patient/${id}`, patient(id, NAME)));
  await accepted(hospital.put('Observation/o1', observation('o1', 'Patient/p1', 1)));
  await accepted(hospital.put('Observation/o1', observation('o1', 'Patient/p1', 2)));
  await accepted(hospital.put('Observation/o2', observation('o2', 'Patient/p2', 3)));
  await accepted(hospital.delete('Observation/o2'));
  for (const id of ['b1', 'b2', 'b3']) {
    const data = Buffer.alloc(900_000, id).toString('base64');
    const contentType = 'application/octet-stream';
    await accepted(hospital.put(`Binary/${id}`, { resourceType: 'Binary', id, contentType, data }));
  }
  const consent = researchConsent('c1', 'p1', 'active', '2026-11-01T00:00:00Z');
  await accepted(clientOf(node, 'patient:p1').put('Consent/c1', consent));
  await accepted(hospital.post('Patient', patient('x', NAME), { 'idempotency-key': 'once' }));
}

/**
 * All rows of each table, as one digest. Left out: tokens, which are not in a backup, and the assertions that were made
 * for them, of which the last one is for the second archive and so not in the first.
 */
async function digests(node: TestNode): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const url of [node.databases?.recordsUrl, node.databases?.keysUrl]) {
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `select schemaname || '.' || tablename as name from pg_tables
       where schemaname in ('public', 'ledger') and tablename not in ('auth_artifact', 'auth_assertion', 'schema_migration')`,
    );
    for (const { name } of rows) {
      const all = await client.query<{ digest: string }>(
        `select md5(string_agg(row, '|' order by row)) as digest from (select t::text as row from ${name} t) as r`,
      );
      found.set(name, all.rows[0]?.digest ?? '');
    }
    await client.end();
  }
  return found;
}

/** Both databases gone, and new ones in their place. */
async function loseDatabases({ databases }: TestNode): Promise<void> {
  for (const url of [databases?.recordsUrl, databases?.keysUrl]) {
    const { pathname } = new URL(url ?? '');
    const server = new URL(url ?? '');
    server.pathname = '/postgres';
    const client = new Client({ connectionString: server.href });
    await client.connect();
    await client.query(`drop database ${pathname.slice(1)} with (force)`);
    await client.query(`create database ${pathname.slice(1)}`);
    await client.end();
  }
}

function environmentOf({ databases }: TestNode): Readonly<Record<string, string>> {
  if (databases === undefined) return {};
  return { MEDSEAL_DATABASE_URL: databases.recordsUrl, MEDSEAL_KEY_DATABASE_URL: databases.keysUrl };
}

function restoreOn(node: TestNode, args: readonly string[], onStart?: (pid: number) => void): Promise<Run> {
  const { dataDirectory } = node;
  return medseal(['restore', ...args], { dataDirectory, env: environmentOf(node), ...(onStart && { onStart }) });
}

async function backUp(node: TestNode, ...args: readonly string[]): Promise<string> {
  const directory = join(await temporaryDirectory(), 'backup');
  const { exitCode, stderr } = await medseal(['backup', directory, ...args], { dataDirectory: node.dataDirectory });
  assert.equal(exitCode, 0, stderr);
  return directory;
}

async function readAll(node: TestNode): Promise<readonly string[]> {
  const hospital = clientOf(node, 'hospital-a');
  const paths = ['Patient/p1', 'Observation/o1', 'Observation/o1/_history/1', 'Observation/o2', 'Binary/b2'];
  const research = await clientOf(node, 'research-institute').get('Patient/p1');
  const answers = await Promise.all(paths.map((path) => hospital.get(path)));
  return [...answers, research].map(({ status, text }) => `${status} ${text}`);
}

suite('backup and restore', () => {
  test('everything is lost but the backup, the master key and the content store: everything is back', async (context) => {
    const node = await startTestNode(context);
    await writeRecords(node);
    const before = await readAll(node);
    await untilAnchored(node);
    const directory = await backUp(node);
    await node.stop();
    const rows = await digests(node);

    await loseDatabases(node);
    rmSync(join(node.dataDirectory, 'roots.json'));
    const run = await restoreOn(node, [directory]);
    assert.equal(run.exitCode, 0, run.stderr);
    const restored = await digests(node);
    for (const [table, digest] of rows) assert.equal(restored.get(table), digest, table);
    assert.ok(rows.size > 15, `${rows.size} tables`);

    await node.restart();
    assert.deepEqual(await readAll(node), before);
    assert.equal(await writesOf(node), 'accepted');
    const hospital = clientOf(node, 'hospital-a');
    const again = await accepted(hospital.post('Patient', patient('x', NAME), { 'idempotency-key': 'once' }));
    assert.equal(again.status, 201, 'the first answer again');
    await accepted(hospital.put('Observation/o1', observation('o1', 'Patient/p1', 9)));
    await untilAnchored(node);
    assert.deepEqual(await scrubFindings(node), []);
  });

  test('records that are older than their ledger: writes are refused until they are replayed', async (context) => {
    const node = await startTestNode(context);
    await writeRecords(node);
    await untilAnchored(node);
    const directory = await backUp(node);
    const hospital = clientOf(node, 'hospital-a');
    await accepted(hospital.put('Observation/o1', observation('o1', 'Patient/p1', 7)));
    await accepted(hospital.put('Patient/late', patient('late', NAME)));
    const late = (await hospital.get('Patient/late')).text;
    await untilAnchored(node);
    await node.stop();

    // The records are lost. The ledger and the key service are elsewhere, and stay.
    const tables = await onRecords<{ name: string }>(
      node,
      `select 'public.' || tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migration'`,
    );
    await onRecords(node, `truncate ${tables.map(({ name }) => name).join(', ')}`);
    renameSync(join(directory, 'keys.backup'), join(directory, 'elsewhere'));
    const run = await restoreOn(node, [directory]);
    assert.equal(run.exitCode, 0, run.stderr);
    assert.doesNotMatch(run.stdout, /keys/);

    await node.restart();
    assert.match(await writesOf(node), /older than its ledger/);
    const refused = await clientOf(node, 'hospital-a').put('Patient/p3', patient('p3', NAME));
    assert.equal(refused.status, 503);
    const response = await callAdministration(connect(node.dataDirectory), 'POST', '/admin/rebuild');
    const events = await Array.fromAsync(jsonLines<RebuildEvent>(response));
    assert.equal(events.at(-1)?.event, 'summary', JSON.stringify(events.at(-1)));
    assert.equal(await writesOf(node), 'accepted');
    assert.equal((await clientOf(node, 'hospital-a').get('Patient/late')).text, late);
    await accepted(clientOf(node, 'hospital-a').put('Patient/p3', patient('p3', NAME)));
  });

  test('a ledger that is there and is another one, or older, is not overwritten', async (context) => {
    const node = await startTestNode(context);
    await writeRecords(node);
    await untilAnchored(node);
    const directory = await backUp(node);
    await node.stop();
    const tables = await onRecords<{ name: string }>(
      node,
      `select 'public.' || tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migration'`,
    );
    await onRecords(node, `truncate ${tables.map(({ name }) => name).join(', ')}`);
    await onRecords(
      node,
      `update ledger.block set hash = sha256(hash) where number = (select max(number) from ledger.block)`,
    );
    rmSync(join(directory, 'keys.backup'));
    const run = await restoreOn(node, [directory]);
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /The ledger that is here is another one/);
    assert.deepEqual(await onRecords(node, 'select from resource_version'), []);
  });

  test('made while clients write: one state, in which nothing contradicts', async (context) => {
    const node = await startTestNode(context);
    await writeRecords(node);
    const hospital = clientOf(node, 'hospital-a');
    let done = false;
    const writing = (async () => {
      for (let number = 0; !done; number++) {
        await accepted(hospital.put(`Patient/w${number}`, patient(`w${number}`, NAME)));
        await accepted(hospital.put(`Observation/w${number}`, observation(`w${number}`, `Patient/w${number}`, number)));
      }
    })();
    const directory = await backUp(node);
    done = true;
    await writing;
    await node.stop();
    await loseDatabases(node);
    assert.equal((await restoreOn(node, [directory])).exitCode, 0);
    await node.restart();
    await untilAnchored(node);
    assert.deepEqual(await scrubFindings(node), []);
    assert.equal((await clientOf(node, 'hospital-a').get('Patient/p1')).status, 200);
  });

  test("the server's own PostgreSQL, keys in a directory of their own", async (context) => {
    const node = await startTestNode(context, { database: 'embedded' });
    await accepted(clientOf(node, 'hospital-a').put('Patient/e', patient('e', NAME)));
    await untilAnchored(node);
    const keys = join(await temporaryDirectory(), 'keys');
    const directory = await backUp(node, '--keys', keys);
    const running = await restoreOn(node, [directory, '--keys', keys]);
    assert.match(running.stderr, /is in use by another MedSeal process/);
    await node.stop();
    rmSync(join(node.dataDirectory, 'database'), { recursive: true });
    const run = await restoreOn(node, [directory, '--keys', keys]);
    assert.equal(run.exitCode, 0, run.stderr);
    await node.restart();
    assert.equal((await clientOf(node, 'hospital-a').get('Patient/e')).status, 200);
    assert.deepEqual(await scrubFindings(node), []);
  });
});

/** A node with a backup, stopped, with databases that are empty. */
async function startLost(context: TestContext, options: TestNodeOptions = {}) {
  const node = await startTestNode(context, options);
  await accepted(clientOf(node, 'hospital-a').put('Patient/p1', patient('p1', NAME)));
  await accepted(clientOf(node, 'hospital-a').put('Observation/o1', observation('o1', 'Patient/p1', 1)));
  await untilAnchored(node);
  const directory = await backUp(node);
  await node.stop();
  await loseDatabases(node);
  return { node, directory };
}

suite('restore refuses', () => {
  test('what was changed, cut short, put in another order or mixed; nothing of it is there afterwards', async (context) => {
    const { node, directory } = await startLost(context);
    const file = join(directory, 'records.backup');
    const intact = readFileSync(file, 'utf8');
    const lines = intact.trimEnd().split('\n');
    const keys = readFileSync(join(directory, 'keys.backup'), 'utf8').trimEnd().split('\n');
    const [header = '', first = '', second = ''] = lines;
    const damage: Readonly<Record<string, readonly string[]>> = {
      'a piece left out': lines.filter((line) => line !== second),
      'two pieces changed over': lines.map((line) => (line === first ? second : line === second ? first : line)),
      'a piece twice': lines.flatMap((line) => (line === second ? [line, line] : [line])),
      'a bit of a piece': lines.map((line) =>
        line === second ? line.replace(/(ciphertext\\":\\")(.)/, flipped) : line,
      ),
      'a piece under another table': lines.map((line) =>
        line === second ? line.replace(/"table":"[^"]*"/, '"table":"public.leaf"') : line,
      ),
      'cut short': lines.slice(0, -1),
      'goes on after its end': [...lines, second],
      'another first line': lines.map((line) => (line === header ? line.replace(/"at":"20/, '"at":"21') : line)),
      'the keys in the place of the records': keys,
      'pieces of the keys among the records': lines.map((line) => (line === second ? (keys[1] ?? '') : line)),
      'not a backup': ['{}'],
      'not JSON': ['backup'],
      nothing: [],
    };
    for (const [what, changed] of Object.entries(damage)) {
      writeFileSync(file, changed.length === 0 ? '' : `${changed.join('\n')}\n`);
      const run = await restoreOn(node, [directory]);
      assert.equal(run.exitCode, 1, what);
      assert.match(run.stderr, /^medseal restore: [A-Z/].*\n$/, what);
      await loseDatabases(node);
    }
    writeFileSync(file, intact);
    assert.equal((await restoreOn(node, [directory])).exitCode, 0);
  });

  test('without the right master key, with the keys of another node, of a newer version, on what is not empty', async (context) => {
    const { node, directory } = await startLost(context);
    const other = await startLost(context);
    const masterFile = join(node.dataDirectory, 'master.key');
    const master = readFileSync(masterFile);
    const expectRefusal = async (args: readonly string[], message: RegExp): Promise<void> => {
      const run = await restoreOn(node, args);
      assert.equal(run.exitCode, 1, String(message));
      assert.match(run.stderr, message);
    };
    rmSync(masterFile);
    await expectRefusal([directory], /The master key is not there/);
    cpSync(join(other.node.dataDirectory, 'master.key'), masterFile);
    await expectRefusal([directory], /wrapped by a master key that is not in the file/);
    writeFileSync(masterFile, master);

    // Whoever has only the records, and a key service of their own, opens nothing of them.
    const alone = join(await temporaryDirectory(), 'alone');
    mkdirSync(alone);
    cpSync(join(directory, 'records.backup'), join(alone, 'records.backup'));
    await expectRefusal([alone], /The key service is not that of the backup/);
    await expectRefusal([alone, '--keys', other.directory], /wrapped by a master key that is not in the file/);

    const newer = join(await temporaryDirectory(), 'newer');
    cpSync(directory, newer, { recursive: true });
    const file = join(newer, 'keys.backup');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('"migrations":[', '"migrations":[{"file":"9999_x.sql","sha256":""},'),
    );
    await expectRefusal([newer], /made by another version of MedSeal, whose 9999_x.sql/);

    assert.equal((await restoreOn(node, [directory])).exitCode, 0);
    await expectRefusal([directory], /The database is not empty/);
    await node.restart();
    await expectRefusal([directory], /A server uses the database/);
    assert.equal((await clientOf(node, 'hospital-a').get('Patient/p1')).status, 200);
  });

  test('to be half done: killed in the middle, nothing is there, and the next run succeeds', async (context) => {
    const { node, directory } = await startLost(context);
    const blocker = new Client({ connectionString: node.databases?.recordsUrl });
    assert.equal((await restoreOn(node, [directory])).exitCode, 0);
    await loseRows(node);
    rmSync(join(directory, 'keys.backup'));
    await blocker.connect();
    await blocker.query('begin; lock table leaf in access exclusive mode');
    const killed = await restoreOn(node, [directory], (pid) => {
      until('it waits', async () => {
        const waiting = await onRecords(node, `select from pg_stat_activity where wait_event_type = 'Lock'`);
        return waiting.length > 0;
      }).then(() => process.kill(pid, 'SIGKILL'));
    });
    assert.equal(killed.exitCode, null);
    await blocker.query('rollback');
    await blocker.end();
    assert.deepEqual(await onRecords(node, 'select from resource_version'), []);
    await until('the killed session is gone', async () => (await restoreOn(node, [directory])).exitCode === 0);
    await node.restart();
    assert.deepEqual(await scrubFindings(node), []);
  });

  test('neither archive shows anything of what is in it', async (context) => {
    const { node, directory } = await startLost(context);
    const stored = JSON.stringify([NAME, 'p1', 'hospital-a', 'research-institute', '718-7']);
    for (const part of ['records', 'keys']) {
      const text = readFileSync(join(directory, `${part}.backup`), 'utf8');
      for (const secret of JSON.parse(stored) as string[]) {
        for (const form of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64url')]) {
          if (form.length > 4) assert.ok(!text.includes(form), `${part}: ${form}`);
        }
      }
      assert.ok(!text.includes(readFileSync(join(node.dataDirectory, 'master.key'), 'utf8').trim()), part);
    }
  });
});

async function loseRows(node: TestNode): Promise<void> {
  const tables = await onRecords<{ name: string }>(
    node,
    `select schemaname || '.' || tablename as name from pg_tables
     where schemaname in ('public', 'ledger') and tablename <> 'schema_migration'`,
  );
  await onRecords(node, `truncate ${tables.map(({ name }) => name).join(', ')}`);
}

function flipped(_: string, before: string, letter: string): string {
  return before + (letter === 'A' ? 'B' : 'A');
}
