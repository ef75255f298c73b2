import type { BenchNode } from './bench-node.ts';
import { type Folded, foldProfile, stageOf } from './fold-profile.ts';
import { profileDuring } from './inspector.ts';
import { drive, type LoadRequest } from './load.ts';
import { peakMemory, resetPeakMemory } from './process-usage.ts';
import type { Scenario } from './scenarios.ts';
import { medians, percentile } from './statistics.ts';

/** One round, or the medians of several. */
export interface RoundFigures {
  /** Units a second. */
  readonly perSecond: number;
  /** Milliseconds that a request took. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** µs of CPU a unit: the server's process, PostgreSQL's, and the client's, which shares the machine with them. */
  readonly serverCpu: number;
  readonly postgresCpu: number;
  readonly clientCpu: number;
}

export interface ScenarioFigures {
  readonly name: string;
  readonly unit: Scenario['unit'];
  readonly client: string;
  readonly inFlight: number;
  /** Of each round. */
  readonly requests: number;
  readonly units: number;
  readonly rounds: readonly RoundFigures[];
  readonly median: RoundFigures;
  /** Largest resident set of the server during the rounds, bytes. */
  readonly peakMemory: number;
  /** µs of the server's main thread a unit, under the profiler: by folder of src/, and by file. */
  readonly stages?: Folded;
  readonly files?: Folded;
}

const MOST_FILES = 40;
const ROOT = new URL('../../', import.meta.url).href;

/** A round or two to warm up, then `rounds` that count, then one under the profiler. */
export async function measure(
  node: BenchNode,
  scenario: Scenario,
  options: { readonly rounds: number; readonly profile: boolean },
): Promise<ScenarioFigures> {
  if (scenario.cold) await node.restart();
  const run = (requests: readonly LoadRequest[]) =>
    drive(node.origin(), requests, scenario.inFlight, node.token(scenario.client));
  for (let round = 0; round < scenario.warmUps; round++) await run(scenario.next());
  await node.settle();
  resetPeakMemory(node.server().pid);
  const rounds: RoundFigures[] = [];
  let requests: readonly LoadRequest[] = [];
  while (rounds.length < options.rounds) {
    requests = scenario.next();
    const before = node.usage();
    const { seconds, latencies } = await run(requests);
    const after = node.usage();
    const units = unitsOf(requests);
    rounds.push({
      perSecond: units / seconds,
      p50: percentile(latencies, 0.5),
      p95: percentile(latencies, 0.95),
      p99: percentile(latencies, 0.99),
      serverCpu: (after.server - before.server) / units,
      postgresCpu: (after.postgres - before.postgres) / units,
      clientCpu: (after.client - before.client) / units,
    });
  }
  const peak = peakMemory(node.server().pid);
  return {
    name: scenario.name,
    unit: scenario.unit,
    client: scenario.client,
    inFlight: scenario.inFlight,
    requests: requests.length,
    units: unitsOf(requests),
    rounds,
    median: medians(rounds),
    peakMemory: peak,
    ...(options.profile ? await profiled(node, scenario.next(), run) : {}),
  };
}

async function profiled(
  node: BenchNode,
  requests: readonly LoadRequest[],
  run: (requests: readonly LoadRequest[]) => Promise<unknown>,
): Promise<{ readonly stages: Folded; readonly files: Folded }> {
  const profile = await profileDuring(node.server(), async () => {
    await run(requests);
  });
  const perUnit = (folded: Folded, most = Number.POSITIVE_INFINITY): Folded =>
    Object.fromEntries(
      Object.entries(folded)
        .slice(0, most)
        .map(([name, time]) => [name, time / unitsOf(requests)]),
    );
  return {
    stages: perUnit(foldProfile(profile, ROOT, stageOf)),
    files: perUnit(
      foldProfile(profile, ROOT, (path) => path),
      MOST_FILES,
    ),
  };
}

function unitsOf(requests: readonly LoadRequest[]): number {
  return requests.reduce((sum, { units }) => sum + units, 0);
}
