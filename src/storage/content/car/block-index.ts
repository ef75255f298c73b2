import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { invariant } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { UNFINISHED } from '../../files.ts';
import {
  BUCKETS,
  bucketOf,
  type Car,
  type Entry,
  type IndexRun,
  type Location,
  openRun,
  writeRun,
} from './index-run.ts';
import { memoryTable } from './memory-table.ts';

/**
 * Finds blocks among many CAR files in bounded memory: new entries are kept in memory, written as a run when there are
 * enough of them, and runs of similar size are merged, as in a log-structured merge tree. With ten million blocks there
 * are some twenty runs, each with 256 kB in memory and 46 bytes an entry on disk.
 */
export interface BlockIndex {
  /** The CAR files that it has the entries of. The caller adds those of the others. */
  covered(): readonly Car[];
  /** All places where a block may lie, also in CAR files that are gone or were replaced. */
  find(digest: Buffer): readonly Location[];
  /** Resolves when there is room for more. When the index cannot be written, it stays in memory. */
  add(entries: readonly Entry[]): Promise<void>;
  /** Writes down what is in memory, so that the next start need not read the CAR files. */
  close(): Promise<void>;
}

export interface BlockIndexOptions {
  readonly directory: string;
  readonly logger: Logger;
  /** Whether a CAR file is still there, unchanged; entries of others are dropped when runs are merged. */
  readonly isLive: (car: Car) => boolean;
  /** Entries kept in memory before they become a run. */
  readonly memoryLimit?: number;
}

const MEMORY_LIMIT = 16_384;
/** So many runs of similar size become one, of the next size. */
const FAN_IN = 8;
/** Merged in one go, between which other work has its turn. */
const BUCKETS_AT_ONCE = 64;

export async function openBlockIndex(options: BlockIndexOptions): Promise<BlockIndex> {
  const { directory, logger, isLive, memoryLimit = MEMORY_LIMIT } = options;
  let runs = await openRuns(directory, logger);
  let recent = memoryTable();
  /** Being written; still to be found. */
  let frozen = memoryTable();
  let writing = Promise.resolve();
  let merging = Promise.resolve();
  let isMerging = false;
  const closing = new AbortController();

  async function writeRecent(): Promise<void> {
    const entries = recent.entries().filter(({ location }) => isLive(location.car));
    [frozen, recent] = [recent, memoryTable()];
    try {
      if (entries.length > 0) runs = [await newRun(directory, inOneChunk(entries)), ...runs];
    } catch (error) {
      for (const entry of entries) recent.add(entry);
      logger.error({ err: error }, 'the index of the content store cannot be written');
    }
    frozen = memoryTable();
  }

  async function mergeSimilar(): Promise<void> {
    try {
      for (let similar = similarRuns(runs, memoryLimit); similar.length > 0; similar = similarRuns(runs, memoryLimit)) {
        const gone = new Set(similar);
        const merged = await newRun(directory, mergedEntries(similar, isLive, closing.signal));
        runs = [merged, ...runs.filter((run) => !gone.has(run))];
        for (const run of similar) {
          run.close();
          await rm(run.path);
        }
      }
    } catch (error) {
      if (!closing.signal.aborted) logger.error({ err: error }, 'the index of the content store cannot be merged');
    }
  }

  /** Not waited for: look-ups and writes go on meanwhile. */
  function mergeInBackground(): void {
    if (isMerging) return;
    isMerging = true;
    merging = mergeSimilar().finally(() => {
      isMerging = false;
    });
  }

  mergeInBackground();
  return {
    covered: () => runs.flatMap((run) => run.cars),
    find: (digest) => [recent, frozen, ...runs].flatMap((part) => part.find(digest)),
    async add(entries) {
      for (const entry of entries) recent.add(entry);
      if (recent.size() < memoryLimit) return;
      writing = writing.then(() => (recent.size() < memoryLimit ? undefined : writeRecent()));
      await writing;
      mergeInBackground();
    },
    async close() {
      closing.abort();
      await merging;
      await writing;
      await writeRecent();
      for (const run of runs) run.close();
    },
  };
}

/** Removes what is torn or unfinished: the CAR files that it was about are then no longer covered. */
async function openRuns(directory: string, logger: Logger): Promise<readonly IndexRun[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const runs: IndexRun[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const run = name.endsWith(UNFINISHED) ? undefined : openRun(path);
    if (run !== undefined) {
      runs.push(run);
      continue;
    }
    if (!name.endsWith(UNFINISHED)) logger.warn({ file: path }, 'a damaged index of the content store is made again');
    await rm(path);
  }
  return runs;
}

async function newRun(directory: string, chunks: AsyncIterable<readonly Entry[]>): Promise<IndexRun> {
  const path = join(directory, `${randomUUID()}.run`);
  await writeRun(path, chunks);
  const run = openRun(path);
  invariant(run !== undefined, 'The index of the content store cannot be read back.');
  return run;
}

async function* inOneChunk(entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  yield inBucketOrder(entries);
}

/** As many runs of about the same size as are merged; none when there are not enough. */
function similarRuns(runs: readonly IndexRun[], smallest: number): readonly IndexRun[] {
  const tier = ({ entries }: IndexRun) => Math.floor(Math.log(Math.max(1, entries / smallest)) / Math.log(FAN_IN));
  const tiers = [...Map.groupBy(runs, tier).values()];
  return tiers.find((similar) => similar.length >= FAN_IN) ?? [];
}

async function* mergedEntries(
  runs: readonly IndexRun[],
  isLive: (car: Car) => boolean,
  aborted: AbortSignal,
): AsyncGenerator<readonly Entry[]> {
  for (let first = 0; first < BUCKETS; first += BUCKETS_AT_ONCE) {
    aborted.throwIfAborted();
    const entries = runs.flatMap((run) => run.between(first, first + BUCKETS_AT_ONCE - 1));
    yield inBucketOrder(entries.filter(({ location }) => isLive(location.car)));
  }
}

function inBucketOrder(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((one, other) => bucketOf(one.digest) - bucketOf(other.digest));
}
