import type { LogName } from '../../trail/leaf.ts';
import type { ReplayedCounts } from './replay-batch.ts';

/** How a rebuild tells what it does. None of it is out of a record. */
export type RebuildEvent = RebuildProgress | RebuildSummary | RebuildFailure;

export interface RebuildProgress {
  readonly event: 'progress';
  readonly institution: string;
  readonly log: LogName;
  /** Leaves of all logs that the database has by now, and that the ledger anchors. */
  readonly done: number;
  readonly total: number;
}

export interface RebuildSummary extends ReplayedCounts {
  readonly event: 'summary';
  /** Institutions that the database did not know. */
  readonly institutions: number;
  /** Batches that it lacked. */
  readonly replayed: number;
  /** Batches that it had without knowing them anchored. */
  readonly recorded: number;
  /** Why writes are refused nevertheless; null when they are accepted. */
  readonly fence: string | null;
}

/** Something prevented the rebuild from ending; nothing follows. What is done stays, and need not be done again. */
export interface RebuildFailure {
  readonly event: 'failure';
  readonly text: string;
}
