/** `medseal migrate-store`: from CAR files to real Kubo nodes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/logger.ts';
import { openCarStore } from '../../src/storage/content/car/car-store.ts';
import { openKuboStore } from '../../src/storage/content/kubo/kubo-store.ts';
import { accepted, clientOf, observation, patient } from '../faults/node-records.ts';
import { untilAnchored } from '../faults/records-database.ts';
import { scrubFindings } from '../faults/scrub.ts';
import { batchOf } from '../ports/content-process.ts';
import { skippedWithout, versionOf } from '../support/engines.ts';
import { type KuboNode, rpc, startKubo } from '../support/kubo.ts';
import { newSeed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { medseal, type Run } from './medseal.ts';

const BATCHES = 150;

interface World {
  readonly seed: number;
  readonly dataDirectory: string;
  readonly nodes: readonly [KuboNode, KuboNode];
  migrate(onStart?: (pid: number) => void): Promise<Run>;
}

/** CAR files of so many batches, and two nodes that have none of them. */
async function startWorld(context: TestContext): Promise<World> {
  const seed = newSeed();
  const dataDirectory = await temporaryDirectory();
  const store = await openCarStore({ directory: join(dataDirectory, 'content'), logger: silentLogger });
  for (let number = 0; number < BATCHES; number++) await store.put(batchOf(seed, number));
  await store.close();
  const nodes = (await startKubo(context, 2)) as [KuboNode, KuboNode];
  const env = { MEDSEAL_IPFS_API: apisOf(nodes) };
  const migrate: World['migrate'] = (onStart) =>
    medseal(['migrate-store'], { dataDirectory, env, ...(onStart === undefined ? {} : { onStart }) });
  return { seed, dataDirectory, nodes, migrate };
}

function apisOf(nodes: readonly KuboNode[]): string {
  return nodes.map(({ api }) => api).join();
}

async function pinsOf({ api }: KuboNode): Promise<number> {
  const { Keys = {} } = JSON.parse(await rpc(api, 'pin/ls?type=recursive')) as { Keys?: object };
  return Object.keys(Keys).length;
}

/** Every block of every batch, from each node alone. */
async function assertMigrated({ seed, nodes }: World): Promise<void> {
  for (const { api } of nodes) {
    const store = openKuboStore({ apis: [api], logger: silentLogger });
    try {
      assert.equal((await Array.fromAsync(store.roots())).length, BATCHES);
      for (let number = 0; number < BATCHES; number++) {
        for (const { cid, bytes } of batchOf(seed, number).blocks) {
          assert.deepEqual(await store.get(cid), Uint8Array.from(bytes), `batch ${number}, SEED=${seed}`);
        }
      }
    } finally {
      await store.close();
    }
  }
}

function summaryOf({ stdout }: Run): readonly number[] {
  return ['batches copied', 'there already', 'not copied'].map((name) =>
    Number(new RegExp(`${name} +([0-9,]+)`).exec(stdout)?.[1]),
  );
}

suite(`migrate-store to Kubo ${versionOf('ipfs')}`, { skip: skippedWithout('ipfs') }, () => {
  test('killed in the middle, again and again: it goes on where it was, and nothing is missing', async (context) => {
    const world = await startWorld(context);
    for (const goal of [BATCHES / 5, BATCHES / 2]) {
      const { exitCode } = await world.migrate((pid) => {
        until('some batches are there', async () => (await pinsOf(world.nodes[0])) >= goal, 60_000).then(() =>
          process.kill(pid, 'SIGKILL'),
        );
      });
      assert.equal(exitCode, null, 'it was killed');
    }
    const last = await world.migrate();
    assert.equal(last.exitCode, 0, last.stderr);
    const [copied = 0, there = 0, failed] = summaryOf(last);
    assert.equal(failed, 0);
    assert.equal(copied + there, BATCHES);
    assert.ok(there >= BATCHES / 2 - 2, `${there} were there already`);
    await assertMigrated(world);
    assert.deepEqual(summaryOf(await world.migrate()), [0, BATCHES, 0]);
  });

  test('a node that ends in the middle ends it; with the node back it goes on', async (context) => {
    const world = await startWorld(context);
    const [, second] = world.nodes;
    const first = await world.migrate(() => {
      until('some batches are there', async () => (await pinsOf(second)) >= 20, 60_000).then(() => second.kill9());
    });
    assert.equal(first.exitCode, 1);
    assert.match(first.stderr, /\nmedseal migrate-store: The Kubo node .*\n$/);
    await second.restart();
    const next = await world.migrate();
    assert.equal(next.exitCode, 0, next.stderr);
    await assertMigrated(world);
  });

  test('a damaged file is told of by name and left, and every other one is copied', async (context) => {
    const world = await startWorld(context);
    const cars = join(world.dataDirectory, 'content', 'cars');
    const [damaged = '', torn = ''] = readdirSync(cars).filter((name) => name.endsWith('.car'));
    const bytes = readFileSync(join(cars, damaged));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(cars, damaged), bytes);
    writeFileSync(join(cars, torn), readFileSync(join(cars, torn)).subarray(0, 100));
    const run = await world.migrate();
    assert.equal(run.exitCode, 1);
    assert.deepEqual(summaryOf(run), [BATCHES - 2, 0, 2]);
    for (const name of [damaged, torn]) assert.ok(run.stdout.includes(name.replace('.car', '')), run.stdout);
  });

  test('nothing to migrate, and nowhere to, are said', async (context) => {
    const dataDirectory = await temporaryDirectory();
    const nowhere = await medseal(['migrate-store'], { dataDirectory });
    assert.deepEqual([nowhere.exitCode, nowhere.stdout], [1, '']);
    assert.match(nowhere.stderr, /MEDSEAL_IPFS_API does not say where to/);
    const [{ api }] = (await startKubo(context, 1)) as [KuboNode];
    const nothing = await medseal(['migrate-store'], { dataDirectory, env: { MEDSEAL_IPFS_API: api } });
    assert.match(nothing.stderr, /There are no CAR files in/);
  });

  test('a server moves while it runs, and goes on with Kubo as if nothing had been', async (context) => {
    const nodes = await startKubo(context, 2);
    const server = await startTestNode(context);
    const { dataDirectory } = server;
    const env = { MEDSEAL_IPFS_API: apisOf(nodes) };
    const hospital = clientOf(server, 'hospital-a');
    await accepted(hospital.put('Patient/m', patient('m', '一')));
    await untilAnchored(server);
    assert.equal((await medseal(['migrate-store'], { dataDirectory, env })).exitCode, 0);
    await accepted(hospital.put('Observation/m', observation('m', 'Patient/m', 1)));
    await untilAnchored(server);
    await server.stop();
    const rest = await medseal(['migrate-store'], { dataDirectory, env });
    assert.equal(rest.exitCode, 0, rest.stderr);
    await server.restart(env);
    assert.match(server.log(), /there are still CAR files/);
    assert.deepEqual(await scrubFindings(server), []);
    await accepted(hospital.put('Patient/m', patient('m', '二')));
    await untilAnchored(server);
    rmSync(join(dataDirectory, 'content'), { recursive: true });
    await server.restart(env);
    assert.deepEqual(await scrubFindings(server), []);
    assert.doesNotMatch(server.log(), /there are still CAR files/);
  });
});
