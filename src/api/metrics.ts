import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ContentStatus } from '../storage/content/port.ts';
import { contentMetrics } from './content-metrics.ts';

/** Prometheus metrics. Labels come from our own tables only: operations, statuses, log names; never from a request. */
export interface Metrics {
  readonly registry: Registry;
  observeRequest(operation: string, status: number, seconds: number): void;
  countDisagreement(): void;
  countHeldBatch(reason: string): void;
  countLedgerAlarm(alarm: string): void;
  setBacklog(log: string, leaves: number): void;
  /** @param blocks undefined: as before, or not told by this kind of ledger */
  setLedger(reachable: boolean, blocks: number | undefined): void;
  /** Records looked at to index them by custom search parameters. */
  countReindexed(records: number): void;
  setReindexRemaining(records: number): void;
  /** What measures something only when it is asked for. */
  beforeScrape(measure: () => Promise<void>): void;
  /** In Prometheus' text format. */
  scrape(): Promise<string>;
  /** Asked at each scrape. */
  watchContent(status: () => Promise<ContentStatus>): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'medseal_' });
  const registers = [registry];
  const requests = new Histogram({
    name: 'medseal_http_request_seconds',
    help: 'Time to answer, by operation of openapi.json and status',
    labelNames: ['operation', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const disagreements = new Counter({
    name: 'medseal_consent_disagreements_total',
    help: 'Times the database permitted what the server denied; any is an alarm',
    registers,
  });
  const held = new Counter({
    name: 'medseal_held_batches_total',
    help: 'Batches that need an administrator, by reason; any is an alarm',
    labelNames: ['reason'],
    registers,
  });
  const backlog = new Gauge({
    name: 'medseal_unanchored_leaves',
    help: 'Leaves that are not anchored on the ledger yet',
    labelNames: ['log'],
    registers,
  });
  const alarms = new Counter({
    name: 'medseal_ledger_alarms_total',
    help: 'Times the ledger showed what must not be, by kind; any is an alarm',
    labelNames: ['alarm'],
    registers,
  });
  const reachable = new Gauge({
    name: 'medseal_ledger_reachable',
    help: 'Whether the ledger answers: 1 or 0',
    registers,
  });
  const blocks = new Gauge({ name: 'medseal_ledger_blocks', help: 'Blocks that the own peer has', registers });
  const reindexed = new Counter({
    name: 'medseal_reindexed_records_total',
    help: 'Records looked at to index them by custom search parameters',
    registers,
  });
  const remaining = new Gauge({
    name: 'medseal_reindex_remaining_records',
    help: 'Records that open runs of $reindex have before them',
    registers,
  });
  const measures: (() => Promise<void>)[] = [];
  return {
    registry,
    observeRequest: (operation, status, seconds) => requests.observe({ operation, status: String(status) }, seconds),
    countDisagreement: () => disagreements.inc(),
    countHeldBatch: (reason) => held.inc({ reason }),
    countLedgerAlarm: (alarm) => alarms.inc({ alarm }),
    setLedger(isReachable, count) {
      reachable.set(isReachable ? 1 : 0);
      if (count !== undefined) blocks.set(count);
    },
    countReindexed: (records) => reindexed.inc(records),
    setReindexRemaining: (records) => remaining.set(records),
    beforeScrape: (measure) => measures.push(measure),
    async scrape() {
      // What cannot be measured now stays as it was: metrics are wanted most when something is down.
      await Promise.allSettled(measures.map((measure) => measure()));
      return registry.metrics();
    },
    setBacklog: (log, leaves) => backlog.set({ log }, leaves),
    watchContent: (status) => contentMetrics(registry, status),
  };
}
