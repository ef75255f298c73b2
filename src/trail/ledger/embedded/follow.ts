import type { Database } from '../../../storage/database/port.ts';
import { asWriter, BLOCK_CHANNEL, readBlocks } from '../../../storage/ledger/blocks.ts';
import type { LedgerBlock } from '../port.ts';
import { blockOf, checkBlock } from './blocks.ts';
import { asLedger } from './ledger-error.ts';
import type { PinnedKeys } from './verify-envelope.ts';

const BLOCKS_PER_READ = 100;

/** Reads blocks in order, checks each and its link to the one before, and waits for more until `signal` aborts. */
export async function* followBlocks(
  database: Database,
  keys: PinnedKeys,
  from: bigint,
  signal: AbortSignal,
): AsyncGenerator<LedgerBlock> {
  const bell = doorbell();
  signal.addEventListener('abort', bell.ring);
  const stop = await asLedger(() => database.listen(BLOCK_CHANNEL, bell.ring));
  try {
    let next = from;
    let previousHash: string | undefined;
    while (!signal.aborted) {
      // Armed before reading, so that a block that is committed meanwhile is not slept through.
      const rung = bell.arm();
      const rows = await asLedger(() => readBlocks(asWriter(database), next, BLOCKS_PER_READ));
      for (const row of rows) {
        previousHash = checkBlock(row, previousHash, keys);
        next = row.number + 1n;
        yield blockOf(row);
        if (signal.aborted) return;
      }
      if (rows.length === 0) await rung;
    }
  } finally {
    signal.removeEventListener('abort', bell.ring);
    await stop();
  }
}

/** `ring` resolves what `arm` returned last. */
function doorbell() {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    arm() {
      rung = Promise.withResolvers<void>();
      return rung.promise;
    },
  };
}
