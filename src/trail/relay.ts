import { MedSealError } from '../errors.ts';
import type { Faults } from '../faults.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import type { Logger } from '../logger.ts';
import type { ContentStore } from '../storage/content/port.ts';
import type { Database } from '../storage/database/port.ts';
import { readTiles } from '../storage/log/tiles.ts';
import {
  type BatchRow,
  selectAnchored,
  selectBatchLeaves,
  selectOpenBatches,
  setAnchored,
  setHeld,
  setManifest,
  setTransaction,
  tryLock,
} from '../storage/trail/log.ts';
import { LOG_NUMBER, type LogName } from './leaf.ts';
import { type ContractCall, type Ledger, refusalOf } from './ledger/port.ts';
import { batchBlocks } from './manifest.ts';
import { consistencyProof } from './merkle/proofs.ts';

/**
 * Brings sealed batches to the content store and then to the ledger, oldest first, resuming wherever an earlier run
 * stopped: put is idempotent, transaction bytes are persisted before they are submitted, and bytes that were submitted
 * before are looked up (DESIGN §9). Any replica may run it; one at a time does.
 */
export interface Relay {
  /** One step for the oldest open batch of every log. @returns how many batches were anchored */
  run(): Promise<number>;
}

export interface RelayOptions {
  readonly database: Database;
  readonly content: ContentStore;
  readonly ledger: Ledger;
  readonly institutionName: (id: number) => string;
  readonly now: () => number;
  readonly faults: Faults;
  readonly logger: Logger;
  /** Called with an alarm that an administrator must see: quarantine, a refused anchor. */
  readonly onHeld?: (reason: string) => void;
}

/** How many of a batch's blocks are read back from the content store besides its manifest. */
const READ_BACK = 32;

export function createRelay(options: RelayOptions): Relay {
  const { database, content, ledger, faults, logger, now } = options;
  const nameOf = (batch: BatchRow) => ({
    institution: options.institutionName(batch.institution),
    log: (batch.log === LOG_NUMBER.records ? 'records' : 'access') as LogName,
  });

  async function store(batch: BatchRow): Promise<string> {
    const first = Number(batch.first);
    const size = Number(batch.size);
    const leaves = await selectBatchLeaves(database, batch, first, size);
    const { root, blocks } = batchBlocks({ ...nameOf(batch), first, size }, leaves);
    await content.put({ root, blocks });
    await faults.at('content-before-pin');
    await readBack(
      root,
      blocks.map((block) => block.cid),
    );
    await setManifest(database, batch, root);
    return root;
  }

  /** Evenly spread over the batch. The store itself compares what it reads with the CID. */
  async function readBack(root: string, cids: readonly string[]): Promise<void> {
    await faults.at('content-read-back');
    const step = Math.max(1, Math.floor(cids.length / READ_BACK));
    for (const cid of [root, ...cids.filter((_, index) => index % step === 0)]) {
      if ((await content.get(cid)) !== undefined) continue;
      throw new MedSealError('sealed-content-damaged', 'The content store does not give back what it was given');
    }
  }

  async function anchorCall(batch: BatchRow, manifest: string): Promise<ContractCall> {
    const anchored = await selectAnchored(database, batch);
    const size = Number(batch.size);
    const head = { ...nameOf(batch), size, root: batch.root.toString('hex'), manifest };
    if (anchored === undefined) {
      return { contract: 'anchor', transaction: 'genesis', args: [canonicalJson(head)] };
    }
    const proof = await consistencyProof(Number(anchored.size), size, (tiles) => readTiles(reader, batch, tiles));
    const consistency = proof.map((node) => Buffer.from(node).toString('hex'));
    return { contract: 'anchor', transaction: 'append', args: [canonicalJson({ ...head, consistency })] };
  }

  const reader = {
    query: <Row>(text: string, values?: readonly unknown[]) => database.query<Row>('writer', text, values),
  };

  /** The bytes of this batch's transaction, made durable before anyone could have seen them. */
  async function transactionOf(batch: BatchRow, manifest: string): Promise<Uint8Array> {
    if (batch.transactionBytes !== null) return batch.transactionBytes;
    const prepared = await ledger.prepare(await anchorCall(batch, manifest));
    await setTransaction(database, batch, prepared);
    await faults.at('anchor-endorsed-unsent');
    return prepared.bytes;
  }

  async function advance(batch: BatchRow): Promise<boolean> {
    const manifest = batch.manifest ?? (await store(batch));
    const committed = await ledger.submit(await transactionOf(batch, manifest));
    await faults.at('anchor-committed-unrecorded');
    if (committed.status !== 'VALID') {
      // It had no effect. Next time it is prepared anew, on what the ledger then holds.
      await setTransaction(database, batch, undefined);
      return false;
    }
    const { transactionId, block } = committed;
    await setAnchored(database, batch, { transactionId, block, at: new Date(now()).toISOString() });
    return true;
  }

  /** What cannot be helped by trying again is held for an administrator; the rest is tried again. */
  async function hold(batch: BatchRow, error: unknown): Promise<void> {
    const { institution, log } = nameOf(batch);
    logger.error({ err: error, institution, log, size: Number(batch.size) }, 'a batch could not be anchored');
    if (!(error instanceof MedSealError)) return;
    const final = error.code === 'sealed-content-damaged' || error.code === 'ledger-rejected';
    if (!final) return;
    const reason = refusalOf(error) ?? error.code;
    await setTransaction(database, batch, undefined);
    await setHeld(database, batch, reason);
    options.onHeld?.(reason);
  }

  return {
    async run() {
      return database.transaction('writer', async (sql) => {
        if (!(await tryLock(sql, 'relay'))) return 0;
        let anchored = 0;
        for (const batch of await selectOpenBatches(database)) {
          try {
            if (await advance(batch)) anchored += 1;
          } catch (error) {
            await hold(batch, error);
          }
        }
        return anchored;
      });
    },
  };
}
