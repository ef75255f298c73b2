/**
 * Each part of a consortium killed, and paused, while a server of one of its members works. Whatever it is, writes and
 * reads go on; what four orderers and four peers can do without, the anchors do without too; and afterwards everything
 * that a client was told is there, once, and anchored.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { skippedWithout } from '../support/engines.ts';
import { newSeed, randomOf } from '../support/seed.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { type Actor, createActor } from './actor.ts';
import { clientOf } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

type Means = 'killed' | 'paused';

interface Drill {
  /** A node of the network, seen from the server of hospital-a. */
  readonly what: string;
  readonly node: string;
  readonly means: readonly Means[];
  /** Whether anchors go on without it. */
  readonly spared: boolean;
}

const BOTH = ['killed', 'paused'] as const;
const DRILLS: readonly Drill[] = [
  { what: 'an orderer', node: 'research-institute.orderer', means: BOTH, spared: true },
  { what: 'the leading orderer', node: 'hospital-a.orderer', means: BOTH, spared: true },
  { what: 'another organisation’s peer', node: 'hospital-b.peer', means: BOTH, spared: true },
  { what: 'another organisation’s chaincode', node: 'hospital-b.chaincode', means: BOTH, spared: true },
  { what: 'its own peer', node: 'hospital-a.peer', means: BOTH, spared: false },
  { what: 'its own chaincode', node: 'hospital-a.chaincode', means: BOTH, spared: false },
];

const ACTORS = 2;
/** A change of leader, time-outs of a peer that hangs, and the pause of the relay after each, milliseconds. */
const PATIENCE = 90_000;

suite('a consortium in trouble', { skip: skippedWithout('peer') }, () => {
  let network: TestNetwork;
  let node: TestNode;
  const hooks: (() => Promise<void>)[] = [];
  let drills = 0;

  before(async () => {
    network = await testNetwork('bft');
    const env = { MEDSEAL_FABRIC: network.network.clientConfigFile(network.organisation('hospital-a')) };
    node = await startTestNode({ after: (hook) => hooks.push(hook) }, { env });
  });
  after(async () => {
    for (const hook of hooks) await hook();
    await network?.close();
  });

  for (const { what, node: name, means, spared } of DRILLS) {
    for (const way of means) {
      test(`${what} ${way}: ${spared ? 'anchors go on' : 'the backlog drains afterwards'}`, async (t) => {
        const seed = newSeed();
        t.diagnostic(`SEED=${seed}`);
        const actors = await startActors(seed);
        const before = await anchoredBatches();
        const working = Promise.all(actors.map((actor) => actor.round()));
        await strike(name, way);
        try {
          await working;
          for (const actor of actors) await actor.round();
          await assertServes();
          if (spared) {
            await untilAnchored(node, PATIENCE);
            assert.ok((await anchoredBatches()) > before, 'batches were anchored meanwhile');
          } else {
            await until(
              'it is told that the ledger cannot be reached',
              async () => !(await ledgerOf()).isAnchoring,
              PATIENCE,
            );
          }
        } finally {
          await mend(name, way);
        }
        await untilAnchored(node, PATIENCE);
        for (const actor of actors) await actor.check();
        assert.deepEqual(await scrubFindings(node), []);
      });
    }
  }

  async function startActors(seed: number): Promise<readonly Actor[]> {
    drills += 1;
    const random = randomOf(seed);
    const [hospital, outsider] = [clientOf(node, 'hospital-a'), clientOf(node, 'research-institute')];
    const recovered = () =>
      Promise.reject(new Error('a request had no definite answer while only the ledger was down'));
    return Array.from({ length: ACTORS }, (_, index) => {
      const name = `e${drills}-${seed % 10_000}-${index}`;
      return createActor({
        name,
        random: randomOf(random.integer(2 ** 31)),
        hospital,
        patient: undefined,
        outsider,
        recovered,
      });
    });
  }

  async function strike(name: string, way: Means): Promise<void> {
    if (way === 'killed') await network.network.end([name], 'SIGKILL');
    else network.network.signal(name, 'SIGSTOP');
  }

  async function mend(name: string, way: Means): Promise<void> {
    if (way === 'killed') network.network.start([name]);
    else network.network.signal(name, 'SIGCONT');
    await network.network.ready();
  }

  async function assertServes(): Promise<void> {
    const response = await fetch(`${node.url}/ready`);
    const state = (await response.json()) as { writes: string };
    assert.deepEqual([response.status, state.writes], [200, 'accepted']);
  }

  /** A peer that is gone is told by /ready; one whose chaincode is gone answers, and endorses nothing. */
  async function ledgerOf(): Promise<{ readonly isAnchoring: boolean }> {
    const { ledger } = (await (await fetch(`${node.url}/ready`)).json()) as { ledger: { reachable: boolean } };
    const [open] = await onRecords(node, 'select 1 from batch where anchored_at is null limit 1');
    return { isAnchoring: ledger.reachable && open === undefined };
  }

  async function anchoredBatches(): Promise<number> {
    const [row] = await onRecords<{ n: string }>(node, 'select count(*) as n from batch where anchored_at is not null');
    return Number(row?.n ?? 0);
  }
});
