import { columns, count } from '../text.ts';
import type { Tally } from './tally.ts';

export interface SummaryFacts {
  readonly base: string;
  readonly seconds: number;
  readonly skipped: number;
  /** Not sent again because the import was stopped. */
  readonly waiting: number;
  readonly journal: string;
}

/** What an import did, by type and by error; no value out of a record. */
export function summaryText(tally: Tally, { base, seconds, skipped, waiting, journal }: SummaryFacts): string {
  const rate = count(Math.round(tally.resources / Math.max(seconds, 0.001)));
  const lines = [
    `${count(tally.items)} items, ${count(tally.resources)} resources into ${base}`,
    `in ${seconds.toFixed(1)} s (${rate}/s)`,
    ...(skipped === 0
      ? []
      : [`${count(skipped)} items were acknowledged before and not sent again (--restart sends all)`]),
    ...(waiting === 0 ? [] : [`${count(waiting)} items wait for a reference to something that was not sent yet`]),
    ...typeTable(tally),
    ...problemTable(tally),
    '',
    `Journal: ${journal}`,
    '',
  ];
  return lines.join('\n');
}

const RESULTS = ['created', 'updated', 'unchanged', 'deleted', 'failed'] as const;

function typeTable({ byType, resources }: Tally): readonly string[] {
  if (resources === 0) return [];
  const totals = Object.fromEntries(
    RESULTS.map((result) => [result, byType.values().reduce((sum, counts) => sum + counts[result], 0)]),
  ) as Readonly<Record<(typeof RESULTS)[number], number>>;
  const shown = RESULTS.filter((result) => result === 'created' || result === 'failed' || totals[result] > 0);
  const row = (name: string, counts: typeof totals) => [name, ...shown.map((result) => count(counts[result]))];
  const rows = [...byType].sort(([one], [other]) => (one < other ? -1 : 1)).map(([type, counts]) => row(type, counts));
  return ['', ...columns([['type', ...shown], ...rows, row('total', totals)], { right: true })];
}

function problemTable({ byProblem }: Tally): readonly string[] {
  if (byProblem.length === 0) return [];
  const rows = byProblem.map(({ code, element, count: times, first }) => [count(times), code, element || '-', first]);
  return ['', ...columns([['count', 'error', 'element', 'first in'], ...rows])];
}
