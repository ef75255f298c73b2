/**
 * `npm run bench:anchors [-- --seconds S] [--rate R] [--raft]`: how long a record waits for its anchor on a real channel, while
 * Bundles of 100 come at a steady rate, and which share of the CPU each part takes (docs/performance.md).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findServer } from '../../src/cli/data-directory.ts';
import { clientOf } from '../faults/node-records.ts';
import { onRecords, untilAnchored } from '../faults/records-database.ts';
import { databaseProcess } from '../support/server-process.ts';
import { testNetwork } from '../support/test-network.ts';
import { startTestNode } from '../support/test-node.ts';
import { newRecords } from './population.ts';
import { usageOf } from './process-usage.ts';

const LIMIT = 120_000;
/** From the version's own time to the record that its batch is anchored, of what came after the warm-up. */
const LAG = `
  select count(*) as records,
    percentile_disc(0.5) within group (order by lag) as "p50, ms",
    percentile_disc(0.99) within group (order by lag) as "p99, ms",
    max(lag) as "longest, ms",
    count(distinct (log, size)) as anchors
  from (
    select l.log, b.size, round(extract(epoch from b.anchored_at - v.at) * 1000) as lag
    from resource_version v
    join leaf l on l.version_id = v.id
    cross join lateral (
      select size, anchored_at from batch
      where institution = l.institution and log = l.log and size > l.number order by size limit 1) as b
    where v.id > $1) as waited`;
const IN_FLIGHT = 4;
const KINDS = ['orderer', 'peer', 'chaincode'] as const;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '1000' },
    raft: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);
const hooks: (() => Promise<void>)[] = [];
const network = await testNetwork(values.raft ? 'raft' : 'bft');
try {
  const env = { MEDSEAL_FABRIC: network.network.clientConfigFile(network.organisation('hospital-a')) };
  const node = await startTestNode({ after: (hook) => hooks.push(hook) }, { env, database: 'embedded' });
  const hospital = clientOf(node, 'hospital-a');
  const server = findServer(node.dataDirectory).pid;
  const cpu = () => ({
    ...usageOf(server, databaseProcess(node.dataDirectory) ?? 0),
    ...Object.fromEntries(KINDS.map((kind) => [kind, cpuOfNetwork(kind)])),
  });
  await untilAnchored(node, LIMIT);
  const [{ last = 0n } = {}] = await onRecords<{ last: string }>(
    node,
    'select coalesce(max(id), 0) as last from resource_version',
  );
  const before = cpu();
  const began = performance.now();
  const sent = await send((body) => hospital.post('', body));
  const ended = performance.now();
  await untilAnchored(node, LIMIT);
  const after = cpu();
  const [lag] = await onRecords<Record<string, string>>(node, LAG, [last]);
  const took = (ended - began) / 1000;
  say(`${network.network.variant}, ${sent} resources in ${took.toFixed(1)} s: ${(sent / took).toFixed(0)}/s`);
  for (const [name, value] of Object.entries(lag ?? {})) say(`${name.padEnd(12)} ${value}`);
  say('CPU, microseconds a resource');
  for (const [name, value] of Object.entries(after)) {
    say(`  ${name.padEnd(10)} ${((value - (before[name as keyof typeof before] ?? 0)) / sent).toFixed(0)}`);
  }
} finally {
  for (const hook of hooks) await hook();
  await network.close();
}
// The tests' helpers would have the test runner tell of no tests.
process.exit();

/**
 * Bundles at a steady rate, a few in flight: on a machine that cannot keep up the rate is lower, as the first line tells.
 *
 * @returns how many entries
 */
async function send(push: (body: Buffer) => Promise<{ status: number; text: string }>): Promise<number> {
  const pushes = newRecords();
  const began = performance.now();
  let sent = 0;
  async function work(): Promise<void> {
    while (sent < seconds * rate) {
      const next = pushes.next();
      if (next.done === true) return;
      const due = began + (sent / rate) * 1000;
      sent += next.value.entries;
      await delay(Math.max(0, due - performance.now()));
      const { status, text } = await push(next.value.body);
      if (status !== 200) throw new Error(`${status}: ${text.slice(0, 300)}`);
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return sent;
}

function cpuOfNetwork(kind: string): number {
  const nodes = network.network.nodes.filter((name) => name.endsWith(`.${kind}`));
  // A process without children that were waited for: its own is all.
  return nodes.reduce((sum, name) => sum + usageOf(network.network.pid(name) ?? 0, 0).server, 0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
