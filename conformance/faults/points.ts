import type { CrashPoint } from '../../src/faults.ts';

export type Mode = 'kill' | 'error' | 'timeout' | 'torn' | 'differ';

/** A crash point as drills pass it; docs/crash-points.md says which hard case it stands for. */
export interface DrilledPoint {
  readonly point: CrashPoint;
  /** The ones that make sense there. */
  readonly modes: readonly Mode[];
  /** Those of them that `npm test` takes the time for; `npm run soak` takes all. */
  readonly brief: readonly Mode[];
  /** It strikes at one of the first so many passages. */
  readonly within: number;
}

const ANY = ['kill', 'error', 'timeout'] as const;

/** On the way of a write. */
export const WRITE_POINTS: readonly DrilledPoint[] = [
  { point: 'kek-before-durable', modes: ANY, brief: ANY, within: 3 },
  { point: 'kek-after-durable', modes: ANY, brief: ANY, within: 3 },
  { point: 'write-inside-transaction', modes: ANY, brief: ANY, within: 8 },
  { point: 'bundle-middle', modes: ANY, brief: ANY, within: 4 },
  { point: 'write-before-commit', modes: ANY, brief: ANY, within: 8 },
  { point: 'write-commit-unknown', modes: ANY, brief: ANY, within: 8 },
  { point: 'write-after-commit', modes: ANY, brief: ANY, within: 8 },
];

/** On the way of a batch into the content store. */
export const CONTENT_POINTS: readonly DrilledPoint[] = [
  { point: 'content-before-put', modes: ANY, brief: ['kill'], within: 2 },
  { point: 'content-during-put', modes: [...ANY, 'torn'], brief: ['torn'], within: 2 },
  { point: 'content-before-pin', modes: ANY, brief: ['kill'], within: 2 },
  { point: 'content-pin-unknown', modes: ANY, brief: ['kill'], within: 2 },
  { point: 'content-read-back', modes: [...ANY, 'differ'], brief: ['differ'], within: 2 },
  { point: 'content-after-put', modes: ANY, brief: ['kill'], within: 2 },
];

/** On the way of a batch to the content store and the ledger. */
export const TRAIL_POINTS: readonly DrilledPoint[] = [
  { point: 'batch-before-seal', modes: ANY, brief: ANY, within: 1 },
  { point: 'batch-after-seal', modes: ANY, brief: ANY, within: 1 },
  ...CONTENT_POINTS,
  { point: 'anchor-endorsed-unsent', modes: ANY, brief: ['kill'], within: 2 },
  { point: 'anchor-outcome-unknown', modes: ANY, brief: ['kill'], within: 2 },
  { point: 'anchor-committed-unrecorded', modes: ANY, brief: ANY, within: 2 },
];
