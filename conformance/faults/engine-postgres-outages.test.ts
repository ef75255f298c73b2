/** PostgreSQL killed and paused under load: nothing acknowledged is lost, nothing is there twice. */
import { suite, type TestContext, test } from 'node:test';
import { Client } from 'pg';
import { processes } from '../support/processes.ts';
import { startTestServer } from '../support/test-server.ts';
import { until } from '../support/until.ts';
import { type DrillStage, stageOf } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import { runOutage } from './outage.ts';

const LOST = 'a database connection was lost';

/** A PostgreSQL that is not the node's own, though this process starts it, and that is durable. */
interface Postgres {
  /** The process that starts all others. */
  postmaster(): Promise<number>;
  readonly databases: { readonly recordsUrl: string; readonly keysUrl: string };
}

async function startPostgres(test: TestContext): Promise<Postgres> {
  const server = await startTestServer({ fsync: 'on' });
  test.after(() => server.stop());
  await onServer(server.url, async (client) => {
    await client.query('create database medseal');
    await client.query('create database medseal_keys');
  });
  const urlOf = (database: string) => server.url.replace(/[^/]*$/, database);
  return {
    postmaster: () =>
      onServer(server.url, async (client) => {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        const backend = processes().find(({ pid }) => pid === rows[0]?.pid);
        // 0 and 1 would be far more than PostgreSQL.
        if (backend === undefined || backend.parent <= 1) throw new Error('The process of PostgreSQL is not found');
        return backend.parent;
      }),
    databases: { recordsUrl: urlOf('medseal'), keysUrl: urlOf('medseal_keys') },
  };
}

async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function startStage(test: TestContext): Promise<DrillStage & { postgres: Postgres }> {
  const postgres = await startPostgres(test);
  return { ...stageOf(await startDrillNode(test, { database: postgres.databases })), postgres };
}

suite('outages of PostgreSQL', () => {
  test('killed; its service manager starts it again', async (context) => {
    const { postgres, ...stage } = await startStage(context);
    await runOutage(stage, {
      async begin() {
        process.kill(await postgres.postmaster(), 'SIGKILL');
      },
      meanwhile: () => until('the node has lost its connections', () => stage.node.log().includes(LOST)),
      end: () => undefined,
    });
  });

  test('paused', async (context) => {
    const { postgres, ...stage } = await startStage(context);
    let postmaster: number | undefined;
    await runOutage(stage, {
      async begin() {
        postmaster = await postgres.postmaster();
        signalAll(postmaster, 'SIGSTOP');
      },
      meanwhile: ({ unready }) => unready(),
      end() {
        if (postmaster !== undefined) signalAll(postmaster, 'SIGCONT');
        postmaster = undefined;
      },
    });
  });
});

/** It and every process that it has started; it first, so that it starts no more. */
function signalAll(postmaster: number, signal: NodeJS.Signals): void {
  process.kill(postmaster, signal);
  for (const { pid, parent } of processes()) {
    if (parent === postmaster) signalIfThere(pid, signal);
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
