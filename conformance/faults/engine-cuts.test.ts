/**
 * The network between a server and what it uses: cut (connections are refused), or silent (they stay, and nothing comes
 * through any more), under load. The other side lives on, and knows what the server did not hear of.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { MIGRATIONS } from '../../src/storage/database/open.ts';
import { skippedWithout } from '../support/engines.ts';
import { startKubo } from '../support/kubo.ts';
import { startRelay, type TcpRelay } from '../support/tcp-relay.ts';
import { createDatabasePair } from '../support/test-database.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';
import { type DrillStage, stageOf } from './drill.ts';
import { startDrillNode } from './drill-node.ts';
import { type Outage, runOutage } from './outage.ts';

suite('a network that is cut', { skip: skippedWithout('peer', 'ipfs') }, () => {
  const hooks: (() => Promise<void>)[] = [];
  let network: TestNetwork;
  let stage: DrillStage;
  const ways = new Map<string, TcpRelay>();

  before(async () => {
    const lifetime = { after: (hook: () => Promise<void>) => hooks.unshift(hook) };
    network = await testNetwork('raft');
    hooks.unshift(() => network.close());
    const [kubo] = await startKubo(lifetime, 1);
    const pair = await createDatabasePair(MIGRATIONS);
    hooks.unshift(() => pair.drop());
    const { hostname, port } = new URL(pair.recordsUrl);
    const toDatabase = await lay('PostgreSQL', join(decodeURIComponent(hostname), `.s.PGSQL.${port}`));
    const through = (url: string) => url.replace(`@${hostname}:${port}/`, `@127.0.0.1:${toDatabase}/`);
    await lay('its IPFS node', Number(new URL(kubo?.api ?? '').port));
    const config = await configThrough('its peer');
    const node = await startDrillNode(lifetime, {
      database: { recordsUrl: through(pair.recordsUrl), keysUrl: through(pair.keysUrl) },
      env: { MEDSEAL_FABRIC: config, MEDSEAL_IPFS_API: `http://127.0.0.1:${ways.get('its IPFS node')?.port}` },
    });
    // What the tests themselves ask the database takes no part in it.
    stage = stageOf({ ...node, databases: pair });
  });
  after(async () => {
    for (const hook of hooks) await hook();
  });

  async function lay(what: string, to: number | string): Promise<number> {
    const relay = await startRelay(to);
    hooks.push(() => relay.cut());
    ways.set(what, relay);
    return relay.port;
  }

  /** The configuration of a server of hospital-a that reaches its peer by a way that can be cut. */
  async function configThrough(what: string): Promise<string> {
    const file = network.network.clientConfigFile(network.organisation('hospital-a'));
    const config = JSON.parse(readFileSync(file, 'utf8')) as { peers: { endpoint: string }[] };
    const [peer] = config.peers;
    const port = await lay(what, Number(peer?.endpoint.split(':')[1]));
    const other = join(dirname(file), 'relayed.json');
    writeFileSync(other, JSON.stringify({ ...config, peers: [{ ...peer, endpoint: `127.0.0.1:${port}` }] }));
    return other;
  }

  const everyoneWorks: Outage['meanwhile'] = (waits) => waits.everyoneWorks();
  const unready: Outage['meanwhile'] = (waits) => waits.unready();
  for (const [what, meanwhile] of [
    ['its peer', everyoneWorks],
    ['its IPFS node', everyoneWorks],
    ['PostgreSQL', unready],
  ] as const) {
    for (const way of ['cut', 'silence'] as const) {
      test(`to ${what}: ${way}`, async () => {
        const relay = ways.get(what);
        await runOutage(stage, { begin: () => relay?.[way](), meanwhile, end: () => relay?.restore() });
      });
    }
  }
});
