import type { Faults } from '../faults.ts';
import type { Database, Sql } from '../storage/database/port.ts';
import { type LogKey, readTiles, writeTiles } from '../storage/log/tiles.ts';
import {
  insertBatch,
  insertLeaves,
  selectPendingLogs,
  selectSize,
  takePending,
  tryLock,
} from '../storage/trail/log.ts';
import { appendLeaves, edgeTiles, rootOf, treeState } from './merkle/append.ts';

/**
 * Numbers the leaves of committed transactions and seals them into batches, which never change again. One sequencer of
 * all replicas works at a time; a leaf that is not committed yet is simply not there yet (DESIGN §8).
 */
export interface Sequencer {
  /** Seals what is pending. @returns the number of leaves that were numbered */
  run(): Promise<number>;
}

/** One CAR and one anchor: leaves that a batch holds at most. */
const MAX_BATCH = 2000;
/** Sealed contents after which a batch takes no further leaf: its CAR is put together in memory. */
const MAX_BYTES = 32 * 1024 * 1024;
/** While this many batches of a log wait for their anchor, further ones wait to be full. */
const MAX_OPEN = 3;

export interface SequencerOptions {
  readonly database: Database;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly faults: Faults;
}

export function createSequencer({ database, now, faults }: SequencerOptions): Sequencer {
  async function sealBatch(sql: Sql, key: LogKey): Promise<number> {
    const [leaves, size] = await Promise.all([takePending(sql, key, MAX_BATCH, MAX_BYTES), selectSize(sql, key)]);
    if (leaves.length === 0) return 0;
    const tree = treeState(size, await readTiles(sql, key, edgeTiles(size)));
    const { state, tiles } = appendLeaves(
      tree,
      leaves.map((leaf) => leaf.hash),
    );
    const sealedAt = new Date(now()).toISOString();
    await Promise.all([
      insertLeaves(sql, key, size, leaves),
      writeTiles(sql, key, tiles),
      insertBatch(sql, key, { first: size, size: state.size, root: rootOf(state), sealedAt }),
    ]);
    return leaves.length;
  }

  return {
    async run() {
      const numbered = await database.transaction('writer', async (sql) => {
        if (!(await tryLock(sql, 'sequencer'))) return 0;
        let sealed = 0;
        for (const log of await selectPendingLogs(sql, 4 * MAX_BATCH)) {
          if (log.open >= MAX_OPEN && log.pending < MAX_BATCH) continue;
          sealed += await sealBatch(sql, log);
        }
        if (sealed > 0) await faults.at('batch-before-seal');
        return sealed;
      });
      if (numbered > 0) await faults.at('batch-after-seal');
      return numbered;
    },
  };
}
