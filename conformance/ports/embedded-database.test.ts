import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { openEmbeddedDatabase } from '../../src/storage/database/embedded/embedded.ts';
import type { Database } from '../../src/storage/database/port.ts';
import { exists } from '../../src/storage/files.ts';
import { processes } from '../support/processes.ts';
import { seed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { notes, ownName } from './database-harness.ts';
import { writeUntilKilled } from './database-writer.ts';
import { PORT_MIGRATIONS } from './port-migrations.ts';

// What only the embedded adapter has: processes, files and their owners. The port itself: database.test.ts.

function open(dataDirectory: string, logger: Logger = silentLogger): Promise<Database> {
  return openEmbeddedDatabase({ dataDirectory, logger, migrations: PORT_MIGRATIONS });
}

const insert = (database: Database, name: string) =>
  database.query('writer', 'insert into note (name) values ($1)', [name]);

/** Processes that serve the cluster in this directory: PostgreSQL's main process, and the guard that watches over it. */
function serving(dataDirectory: string): { postmasters: readonly number[]; guards: readonly number[] } {
  const all = processes();
  const postmasters = all.filter(({ command }) => command.includes(`-D ${dataDirectory}/`)).map(({ pid }) => pid);
  const guards = all.filter(({ command }) => postmasters.some((pid) => command.endsWith(`medseal-guard ${pid}`)));
  return { postmasters, guards: guards.map(({ pid }) => pid) };
}

const noneServe = (dataDirectory: string) => () => serving(dataDirectory).postmasters.length === 0;

test('what was written is there after a restart; a stop leaves no process', async () => {
  const dataDirectory = await temporaryDirectory();
  const first = await open(dataDirectory);
  await insert(first, 'kept');
  assert.equal(serving(dataDirectory).postmasters.length, 1);
  await Promise.all([first.close(), first.close()]);
  assert.ok(noneServe(dataDirectory)());
  const second = await open(dataDirectory);
  assert.deepEqual(await notes(second, 'kept'), ['kept']);
  await second.close();
});

test('one of two first starts at once wins; the other is told why, and harms nothing', async () => {
  const dataDirectory = await temporaryDirectory();
  const starts = await Promise.allSettled([open(dataDirectory), open(dataDirectory)]);
  const won = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const lost = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason] : []));
  assert.equal(won.length, 1);
  assert.equal(lost[0]?.code, 'invalid-configuration');
  assert.match(lost[0]?.message, /in use by another MedSeal process/);
  await assert.rejects(open(dataDirectory), /in use by another MedSeal process/);
  for (const database of won) {
    await insert(database, 'kept');
    await database.close();
  }
});

test('kill -9 of the server process also ends PostgreSQL', async (context) => {
  const dataDirectory = await temporaryDirectory();
  await writeUntilKilled(writer(dataDirectory), 1 + seed(context).integer(50));
  await until('PostgreSQL has ended', noneServe(dataDirectory));
});

test('kill -9 of the server process and its guard leaves PostgreSQL running; the next start ends it', async () => {
  const dataDirectory = await temporaryDirectory();
  let orphans: readonly number[] = [];
  const arguments_ = writer(dataDirectory);
  const acknowledged = await writeUntilKilled(arguments_, 10, (pid) => {
    const { guards, postmasters } = serving(dataDirectory);
    assert.equal(guards.length, 1);
    for (const guard of guards) process.kill(guard, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    orphans = postmasters;
  });
  assert.deepEqual(serving(dataDirectory).postmasters, orphans);
  await assertKept(dataDirectory, arguments_.prefix, acknowledged);
});

for (let round = 1; round <= 3; round++) {
  test(`kill -9 of everything at once, ${round}: what was acknowledged is there`, async (context: TestContext) => {
    const dataDirectory = await temporaryDirectory();
    const arguments_ = writer(dataDirectory);
    const acknowledged = await writeUntilKilled(arguments_, 20 + seed(context).integer(200), (pid) => {
      const { guards, postmasters } = serving(dataDirectory);
      const children = processes().filter(({ parent }) => postmasters.includes(parent));
      for (const each of [pid, ...guards, ...postmasters, ...children.map((child) => child.pid)]) killIfThere(each);
    });
    await assertKept(dataDirectory, arguments_.prefix, acknowledged);
  });
}

test('when PostgreSQL itself is killed it is started again, and nothing acknowledged is lost', async () => {
  const dataDirectory = await temporaryDirectory();
  const database = await open(dataDirectory);
  await insert(database, 'kept');
  for (const postmaster of serving(dataDirectory).postmasters) process.kill(postmaster, 'SIGKILL');
  await until('it answers again', async () => (await database.status()).reachable);
  assert.deepEqual(await notes(database, 'kept'), ['kept']);
  await database.close();
  assert.ok(noneServe(dataDirectory)());
});

test('an initdb that was cut short is swept, and never taken for a database', async () => {
  const dataDirectory = await temporaryDirectory();
  const leftOver = join(dataDirectory, 'database', 'cluster.0.unfinished');
  await mkdir(leftOver, { recursive: true });
  await writeFile(join(leftOver, 'PG_VERSION'), '18\n');
  const database = await open(dataDirectory);
  assert.ok((await database.status()).reachable);
  await database.close();
  assert.deepEqual(
    (await readdir(join(dataDirectory, 'database'))).filter((name) => name.startsWith('cluster')),
    ['cluster'],
  );
});

test('a database of another major version is not touched', async () => {
  const dataDirectory = await temporaryDirectory();
  const cluster = join(dataDirectory, 'database', 'cluster');
  await mkdir(cluster, { recursive: true });
  await writeFile(join(cluster, 'PG_VERSION'), '12\n');
  await assert.rejects(open(dataDirectory), /was made by PostgreSQL 12/);
  assert.deepEqual(await readdir(cluster), ['PG_VERSION']);
});

test('a data directory with a path too long for a Unix socket', async () => {
  const dataDirectory = join(await temporaryDirectory(), 'long'.repeat(30));
  const database = await open(dataDirectory);
  const [row] = await database.query<{ host: string }>(
    'writer',
    "select coalesce(host(inet_client_addr()), 'socket') as host",
  );
  assert.equal(row?.host, 'socket');
  await database.close();
});

test('nobody else can enter, and no network is listened on', async () => {
  const dataDirectory = join(await temporaryDirectory(), 'data');
  const database = await open(dataDirectory);
  const home = await homeOf(dataDirectory);
  assert.equal((await stat(home)).mode & 0o077, process.getuid?.() === 0 ? 0o011 : 0);
  for (const directory of [join(home, 'socket'), join(home, 'cluster'), join(home, 'cluster', 'log')]) {
    assert.equal((await stat(directory)).mode & 0o777, 0o700, directory);
  }
  const settings = await database.query<{ name: string; setting: string }>(
    'writer',
    `select name, setting from pg_settings
     where name in ('listen_addresses', 'fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums',
       'log_statement', 'log_min_error_statement', 'log_parameter_max_length_on_error', 'jit') order by name`,
  );
  assert.deepEqual(Object.fromEntries(settings.map(({ name, setting }) => [name, setting])), {
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    jit: 'off',
    listen_addresses: '',
    log_min_error_statement: 'panic',
    log_parameter_max_length_on_error: '0',
    log_statement: 'none',
    synchronous_commit: 'on',
  });
  await database.close();
});

test("the server's log never holds a value, and an operator's settings win", async () => {
  const dataDirectory = join(await temporaryDirectory(), 'data');
  await (await open(dataDirectory)).close();
  const home = await homeOf(dataDirectory);
  await writeFile(join(home, 'local.conf'), "work_mem = '3MB'\nlog_connections = on\n");
  const database = await open(dataDirectory);
  const [row] = await database.query('writer', 'show work_mem');
  assert.deepEqual(row, { work_mem: '3MB' });
  for (const text of ['select $1::int8', "insert into note (name, owner) values ('x', $1)", 'select pg_sleep($1)']) {
    await database.query('writer', text, ['CANARY']).catch(() => undefined);
    await database.query('writer', text, ['CANARY']).catch(() => undefined);
  }
  await assert.rejects(
    database.transaction('writer', (sql) => sql.query('select $1::text, pg_sleep(30)', ['CANARY']), {
      settings: { statement_timeout: '20', application_name: 'CANARY' },
    }),
  );
  await database.close();
  const log = join(home, 'cluster', 'log');
  const logs = await readdir(log);
  const text = (await Promise.all(logs.map((name) => readFile(join(log, name), 'utf8')))).join('');
  assert.match(text, /connection authorized/, 'this is the log');
  assert.ok(!text.includes('CANARY'));
});

test('as root, with a data directory that only root may enter', { skip: process.getuid?.() !== 0 }, async (context) => {
  const dataDirectory = join(await temporaryDirectory(), 'data');
  await mkdir(dataDirectory, { mode: 0o700 });
  const logged: object[] = [];
  const logger = { ...silentLogger, info: (fields: object) => logged.push(fields) };
  const database = await open(dataDirectory, logger);
  const home = await homeOf(dataDirectory);
  context.after(() => rm(home, { recursive: true }));
  assert.ok(home.startsWith('/var/lib/medseal-'));
  assert.ok(logged.some((fields) => 'directory' in fields && fields.directory === home));
  await insert(database, 'kept');
  await database.close();
  const again = await open(dataDirectory);
  assert.deepEqual(await notes(again, 'kept'), ['kept']);
  await again.close();

  await rename(join(home, 'cluster'), join(home, 'elsewhere'));
  await assert.rejects(open(dataDirectory), /are gone/);
});

function writer(dataDirectory: string) {
  return { place: { kind: 'embedded', dataDirectory }, prefix: ownName() } as const;
}

async function homeOf(dataDirectory: string): Promise<string> {
  const pointer = join(dataDirectory, 'database.json');
  if (!(await exists(pointer))) return join(dataDirectory, 'database');
  return (JSON.parse(await readFile(pointer, 'utf8')) as { directory: string }).directory;
}

async function assertKept(dataDirectory: string, prefix: string, acknowledged: readonly number[]): Promise<void> {
  const database = await open(dataDirectory);
  const found = new Set(await notes(database, prefix));
  for (const number of acknowledged) assert.ok(found.has(`${prefix}-${number}`), `${number} is lost`);
  await database.close();
  assert.ok(noneServe(dataDirectory)());
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Its parent's death may have ended it already.
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}
