import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { ScenarioFigures } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { inGroups } from './population.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

/** What `--json` writes; docs/performance.md describes it. */
export interface BenchReport {
  readonly format: 'medseal/bench/1';
  /** RFC 3339, when it began. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: Omit<BenchOptions, 'json' | 'data'>;
  /** What the ingested Bundles were made from. */
  readonly bundles: string;
  /** Of the non-custodian's reads and searches. */
  readonly consentRules: number;
  /** Milliseconds from the start of the process until it was ready. */
  readonly start: StartTimes;
  readonly scenarios: readonly ScenarioFigures[];
}

interface StartTimes {
  /** In an empty data directory. */
  readonly boot: readonly number[];
  /** With nothing but institutions and clients in it. */
  readonly restart: readonly number[];
  /** With the population in it. */
  readonly restartPopulated: readonly number[];
}

interface Machine {
  readonly cpus: number;
  readonly model: string;
  /** Bytes. */
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  /** Over the minute before: above about 0.3 something else ran, and the figures are too low. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    cpus: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    memory: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}

export function formatReport({ at, machine, start, scenarios, bundles, options, consentRules }: BenchReport): string {
  const { cpus: count, model, memory, system, node, load } = machine;
  const parts = [
    `${at}  ${count} x ${model}, ${Math.round(memory / 2 ** 30)} GB, ${system}, Node ${node}, load before ${load.toFixed(2)}\n`,
    `medians of ${options.rounds} rounds; ingest: ${bundles}; reads and searches: ${options.ids} ids, ${consentRules} consent rules${options.warm ? ', warm' : ''}\n`,
  ];
  const starts = Object.entries(start).filter(([, times]) => times.length > 0);
  if (starts.length > 0) {
    const rows = starts.map(([name, times]) => [name, median(times), Math.max(...times)]);
    parts.push(table(['start', 'ms', 'slowest'], rows));
  }
  if (scenarios.length > 0) parts.push(scenarioTable(scenarios));
  const profiled = scenarios.filter(({ stages }) => stages !== undefined);
  parts.push(...inGroups(profiled, ABREAST).map(stageTable));
  return parts.join('\n');
}

const MEGABYTE = 2 ** 20;
/** Scenarios that stand side by side on a screen. */
const ABREAST = 8;

function scenarioTable(scenarios: readonly ScenarioFigures[]): string {
  const header = [
    'scenario',
    'in flight',
    'per s',
    'of',
    'p50 ms',
    'p95',
    'p99',
    'server µs',
    'postgres',
    'client',
    'RSS MB',
  ];
  const rows = scenarios.map(({ name, inFlight, unit, median: one, peakMemory }) => [
    name,
    String(inFlight),
    one.perSecond,
    unit,
    one.p50,
    one.p95,
    one.p99,
    one.serverCpu,
    one.postgresCpu,
    one.clientCpu,
    Math.round(peakMemory / MEGABYTE),
  ]);
  return table(header, rows);
}

/** µs of the main thread a unit; a row for each stage, a column for each scenario. */
function stageTable(scenarios: readonly ScenarioFigures[]): string {
  const stages = new Set(scenarios.flatMap(({ stages = {} }) => Object.keys(stages)));
  const of = (stage: string) => scenarios.map(({ stages = {} }) => stages[stage] ?? 0);
  const rows = [...stages]
    .map((stage) => [stage, ...of(stage)] as const)
    .filter(([, ...times]) => Math.max(...times) >= 1)
    .sort(([, ...one], [, ...other]) => sum(other) - sum(one));
  return table(['main thread, µs', ...scenarios.map(({ name }) => name.replace('custodian', 'cust.'))], rows);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
