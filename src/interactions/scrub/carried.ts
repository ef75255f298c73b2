import { MedSealError } from '../../errors.ts';
import { type CarriedBatch, selectCarried } from '../../storage/trail/carried.ts';
import { selectBatch } from '../../storage/trail/log.ts';
import { type Anchor, firstAnchor } from '../../trail/anchors.ts';
import { type CarriedManifest, carriedBlocks, readCarried } from '../../trail/carried.ts';
import type { PastLedger } from '../../trail/ledger/embedded/past.ts';
import { type Finding, finding } from './events.ts';
import type { LogCheck, NamedLog } from './logs.ts';
import { mended } from './mend.ts';

/** Of a log that another ledger anchored before: what its one manifest lists, and what is left of that ledger. */
export async function* checkCarried(check: LogCheck, log: NamedLog): AsyncGenerator<Finding> {
  const batches = await selectCarried(check.database, log);
  const last = batches.at(-1);
  if (last === undefined) return;
  const size = Number(last.size);
  const cid = (await selectBatch(check.database, log, size))?.manifest ?? undefined;
  if (cid !== undefined) {
    const listed = batches.map((batch) => ({ size: Number(batch.size), root: batch.root, manifest: batch.manifest }));
    const made = async () => carriedBlocks({ ...log.place, size, batches: listed });
    yield* mended(check, checkList(check, log, batches, cid), made, cid);
  }
  if (check.past !== undefined) yield* checkPast(check, check.past, log, batches);
}

async function* checkList(
  check: LogCheck,
  log: NamedLog,
  batches: readonly CarriedBatch[],
  cid: string,
): AsyncGenerator<Finding> {
  const found = await stateOf(check, cid);
  const place = { ...log.place, batch: Number(batches.at(-1)?.size), cid };
  if (found === 'missing') yield finding('manifest-missing', place);
  else if (found === 'damaged') yield finding('manifest-damaged', place);
  else if (!lists(found, log, batches)) yield finding('manifest-differs', place);
}

async function stateOf({ content }: LogCheck, cid: string): Promise<CarriedManifest | 'damaged' | 'missing'> {
  try {
    if ((await content.get(cid)) === undefined) return 'missing';
    return (await readCarried(content, cid)) ?? 'damaged';
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'sealed-content-damaged') return 'damaged';
    throw error;
  }
}

function lists(manifest: CarriedManifest, { place }: NamedLog, batches: readonly CarriedBatch[]): boolean {
  const { institution, log, batches: listed } = manifest;
  if (institution !== place.institution || log !== place.log || listed.length !== batches.length) return false;
  return batches.every(({ size, root, manifest: cid }, index) => {
    const entry = listed[index];
    return entry?.size === Number(size) && root.equals(entry.root) && entry.manifest === cid;
  });
}

/** Every block of the ledger before is the one that the first anchor on this one names, and the batches are in them. */
async function* checkPast(
  { ledger }: LogCheck,
  past: PastLedger,
  { place }: NamedLog,
  batches: readonly CarriedBatch[],
): AsyncGenerator<Finding> {
  // All that a rebuild leaves of it.
  if (batches.every(({ transactionId }) => transactionId === null)) return;
  const named = (await firstAnchor(ledger, place.institution, place.log))?.predecessor;
  if (named !== undefined && !(await isStill(past, named))) yield finding('past-ledger-differs', place);
  for (const { size, transactionId, block } of batches) {
    if (transactionId === null) continue;
    if ((await past.blockOf(transactionId)) !== block) {
      yield finding('anchor-missing', { ...place, batch: Number(size) });
    }
  }
}

async function isStill(past: PastLedger, named: NonNullable<Anchor['predecessor']>): Promise<boolean> {
  try {
    const now = await past.describe(named.blocks);
    return now?.configuration === named.configuration && now.root === named.root;
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'sealed-content-damaged') return false;
    throw error;
  }
}
