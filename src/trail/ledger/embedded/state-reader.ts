import type { Database } from '../../../storage/database/port.ts';
import { readHistory, readStatePage, readStates } from '../../../storage/ledger/state.ts';

/** Committed state as one simulation sees it. Keys are text here, UTF-8 bytes in the table. */
export interface StateReader {
  get(key: string): Promise<{ readonly value: Uint8Array; readonly version: number } | undefined>;
  /** At most `limit` values of the keys in [start, end), in order; `next` is the key to go on from, '' at the end. */
  page(start: string, end: string, limit: number): Promise<{ readonly values: Uint8Array[]; readonly next: string }>;
  /** Every value that the key had, newest first. */
  history(key: string): AsyncIterable<Uint8Array>;
}

const HISTORY_BATCH = 100;

/**
 * A reader for one transaction. What it read once stays as it was, so that all organisations simulate on the same
 * state, like peers at the same height; whether it still holds is checked at commit.
 */
export function stateReader(database: Database): StateReader {
  const seen = new Map<string, ReturnType<StateReader['get']>>();

  async function read(key: string): ReturnType<StateReader['get']> {
    const [row] = await readStates(database, [Buffer.from(key)]);
    return row && { value: row.value, version: Number(row.version) };
  }

  return {
    get(key) {
      const found = seen.get(key) ?? read(key);
      seen.set(key, found);
      return found;
    },

    async page(start, end, limit) {
      const rows = await readStatePage(database, Buffer.from(start), Buffer.from(end), limit + 1);
      const next = rows[limit]?.key.toString('utf8') ?? '';
      return { values: rows.slice(0, limit).map((row) => row.value), next };
    },

    async *history(key) {
      let before: bigint | null = null;
      do {
        const rows = await readHistory(database, Buffer.from(key), before, HISTORY_BATCH);
        for (const row of rows) yield row.value;
        before = rows.length < HISTORY_BATCH ? null : (rows.at(-1)?.block ?? null);
      } while (before !== null);
    },
  };
}
