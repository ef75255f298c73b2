import { DatabaseError } from '../storage/database/database-error.ts';

/**
 * Lets small writes that run at the same time share one transaction: a commit costs several statements and an fsync
 * whatever it holds. Nobody waits for company: what has gathered while the commits before were under way goes together.
 */
export interface SharedCommits<Job> {
  /** Resolves when the job is committed, rejects with its own error. */
  commit(job: Job): Promise<void>;
}

export interface SharedCommitsOptions<Job> {
  /** Commits these jobs in one transaction, or none of them. */
  readonly together: (jobs: readonly Job[]) => Promise<void>;
  readonly sizeOf: (job: Job) => number;
  /** Jobs of this size together at most, unless a single one is larger. */
  readonly maxSize: number;
  /** Transactions at once. */
  readonly concurrency: number;
}

interface Waiting<Job> {
  readonly job: Job;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createSharedCommits<Job>(options: SharedCommitsOptions<Job>): SharedCommits<Job> {
  const { together, sizeOf, maxSize, concurrency } = options;
  const waiting: Waiting<Job>[] = [];
  let running = 0;

  function take(): readonly Waiting<Job>[] {
    let size = 0;
    let count = 0;
    for (const { job } of waiting) {
      size += sizeOf(job);
      if (count > 0 && size > maxSize) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function commitBatch(batch: readonly Waiting<Job>[]): Promise<void> {
    try {
      await together(batch.map((one) => one.job));
      for (const one of batch) one.resolve();
    } catch (error) {
      // One of them conflicts with something; apart, only that one fails. Where the database is away, all do.
      const apart = batch.length > 1 && error instanceof DatabaseError && error.sqlState !== undefined;
      if (apart) for (const one of batch) await commitBatch([one]);
      else for (const one of batch) one.reject(error);
    }
  }

  async function run(): Promise<void> {
    running += 1;
    while (waiting.length > 0) {
      // Whatever else became ready in this turn of the event loop comes along.
      await new Promise(setImmediate);
      await commitBatch(take());
    }
    running -= 1;
  }

  return {
    commit: (job) =>
      new Promise((resolve, reject) => {
        waiting.push({ job, resolve, reject });
        if (running < concurrency) void run();
      }),
  };
}
