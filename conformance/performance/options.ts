import { parseOptions, UsageError } from '../../src/cli/usage.ts';
import { SHARED_BUNDLES } from '../support/sample-data.ts';

export interface BenchOptions {
  /** How many records there are to read and to search. */
  readonly ids: number;
  /** Measured rounds of each scenario, and starts of the server; figures are medians over them. */
  readonly rounds: number;
  /** Bundles a round of ingest. */
  readonly bundles: number;
  /** Reads a round; the other scenarios send a part of that. */
  readonly requests: number;
  /** Whether each round reads and searches for the same again, after two rounds that have opened it. */
  readonly warm: boolean;
  /** Whether one more round of each scenario runs under the profiler. */
  readonly profile: boolean;
  /** Only scenarios whose name contains one of these; empty: all. */
  readonly only: readonly string[];
  /** Where Synthea's Bundles lie; absent: records are generated. */
  readonly data: string;
  /** Where the figures go as JSON. */
  readonly json: string | undefined;
}

export const USAGE = `npm run bench -- [--quick] [--only NAME]... [--warm] [--json FILE] [--no-profile]
                     [--ids N] [--rounds N] [--bundles N] [--requests N] [--data DIR]

Starts a server of its own, as npm start does, and measures it. A table on standard output.

--quick        few records, one round: whether it runs, not how fast
--only NAME    only the scenarios whose name contains NAME: boot, ingest-4, read-custodian, search-50-…,
               search-sorted-5-…, search-sorted-50-…, search-encounters-…, search-patient-…, search-include-…,
               search-chain-…, everything-…
--warm         reads and searches for the same in each round, so that it lies in the server's cache as far as it fits
--json FILE    the same figures, and those of each round
--no-profile   without the round under the profiler, and so without the table by code stage
--ids N        records to read and to search: 200000, in steps of 1000
--rounds N     measured rounds: 3
--bundles N    transactions a round of ingest: 40
--requests N   cold reads a round: 12000; single creates are half, searches a quarter to a 120th as many
--data DIR     Synthea's Bundles to ingest: ../shared/data/bundles. Where there are none, records are generated
`;

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] as string[] },
  warm: { type: 'boolean', default: false },
  json: { type: 'string' },
  'no-profile': { type: 'boolean', default: false },
  ids: { type: 'string' },
  rounds: { type: 'string' },
  bundles: { type: 'string' },
  requests: { type: 'string' },
  data: { type: 'string', default: SHARED_BUNDLES },
  help: { type: 'boolean', default: false },
} as const;

const FULL = { ids: 200_000, rounds: 3, bundles: 40, requests: 12_000 };
const QUICK = { ids: 2000, rounds: 1, bundles: 6, requests: 320 };

/** @returns undefined when only help was asked for. @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseOptions(args, OPTIONS, 0);
  if (values.help) return undefined;
  const defaults = values.quick ? QUICK : FULL;
  const number = (name: keyof typeof FULL): number => {
    const value = Number(values[name] ?? defaults[name]);
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} is a whole number from 1 on`);
    return value;
  };
  const options = {
    ids: number('ids'),
    rounds: number('rounds'),
    bundles: number('bundles'),
    requests: number('requests'),
    warm: values.warm,
    profile: !values['no-profile'],
    only: values.only,
    data: values.data,
    json: values.json,
  };
  if (options.ids % 1000 !== 0) throw new UsageError('--ids is a multiple of 1000');
  const reads = (options.rounds + 2) * options.requests * 2;
  if (reads > options.ids) throw new UsageError(`--ids must be ${reads} at least: no record is read twice`);
  return options;
}
