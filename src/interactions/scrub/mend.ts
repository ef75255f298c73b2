import type { Batch } from '../../storage/content/port.ts';
import { selectBatchLeaves } from '../../storage/trail/log.ts';
import type { ScrubBatch } from '../../storage/trail/scrub.ts';
import { batchBlocks } from '../../trail/manifest.ts';
import type { Finding, FindingKind } from './events.ts';
import type { LogCheck, NamedLog } from './logs.ts';

const MENDABLE: ReadonlySet<FindingKind> = new Set<FindingKind>([
  'manifest-missing',
  'manifest-damaged',
  'block-missing',
  'block-damaged',
]);

/**
 * What is wrong with a batch in the content store; where that is asked for, the batch is made anew out of the database and
 * put there again. Only the very same blocks are: what the ledger anchors cannot be changed by mending.
 */
export async function* mended(
  check: LogCheck,
  findings: AsyncIterable<Finding>,
  made: () => Promise<Batch>,
  root: string,
): AsyncGenerator<Finding> {
  const found: Finding[] = [];
  for await (const each of findings) found.push(each);
  const isMended =
    check.mend && found.some(({ kind }) => MENDABLE.has(kind)) && (await putAgain(check, await made(), root));
  for (const each of found) yield isMended && MENDABLE.has(each.kind) ? { ...each, mended: true } : each;
}

/** As the relay made it. */
export async function batchOf({ database }: LogCheck, log: NamedLog, batch: ScrubBatch): Promise<Batch> {
  const [first, size] = [Number(batch.first), Number(batch.size)];
  return batchBlocks({ ...log.place, first, size }, await selectBatchLeaves(database, log, first, size));
}

async function putAgain({ content }: LogCheck, batch: Batch, root: string): Promise<boolean> {
  // Something in it was erased, or is damaged in the database too.
  if (batch.root !== root) return false;
  await content.put(batch);
  return true;
}
