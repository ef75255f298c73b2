import type { Predecessor } from 'medseal-chaincode/rules';
import { MedSealError } from '../errors.ts';
import type { Faults } from '../faults.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import type { Logger } from '../logger.ts';
import type { Batch as ContentBatch, ContentStore } from '../storage/content/port.ts';
import type { Database } from '../storage/database/port.ts';
import { readTiles } from '../storage/log/tiles.ts';
import { selectCarried, selectCarriedOf } from '../storage/trail/carried.ts';
import {
  type BatchRow,
  dropTransaction,
  selectAnchored,
  selectBatchLeaves,
  selectOpenBatches,
  setAnchored,
  setHeld,
  setManifest,
  settleTransaction,
  tryLock,
} from '../storage/trail/log.ts';
import { carriedBlocks } from './carried.ts';
import { LOG_NUMBER, type LogName } from './leaf.ts';
import { type CommittedTransaction, type ContractCall, type Ledger, refusalOf } from './ledger/port.ts';
import { batchBlocks } from './manifest.ts';
import { consistencyProof } from './merkle/proofs.ts';
import { registerInstitution } from './registration.ts';

/**
 * Brings sealed batches to the content store and then to the ledger, oldest first, resuming wherever an earlier run
 * stopped: put is idempotent, transaction bytes are persisted before they are submitted, and bytes that were submitted
 * before are looked up (DESIGN §9). Any replica may run it; one at a time does.
 */
export interface Relay {
  /**
   * One step for the oldest open batch of every log.
   *
   * @returns how many batches were anchored
   * @throws MedSealError `ledger-rejected` when the ledger holds something else than we thought: compare the two
   */
  run(): Promise<number>;
}

export interface RelayOptions {
  readonly database: Database;
  readonly content: ContentStore;
  readonly ledger: Ledger;
  /** The ledger that this node wrote to before, as it is now. */
  readonly predecessor?: (() => Promise<Predecessor | undefined>) | undefined;
  readonly institutionName: (id: number) => string;
  readonly now: () => number;
  readonly faults: Faults;
  readonly logger: Logger;
  /** Called with an alarm that an administrator must see: quarantine, a refused anchor. */
  readonly onHeld?: (reason: string) => void;
}

/** Refusals that say that the ledger's anchor is not the one that we have recorded. */
const DISAGREEMENTS: ReadonlySet<string | undefined> = new Set([
  'anchor-exists',
  'anchor-inconsistent',
  'anchor-missing',
  'anchor-same-size',
  'anchor-smaller',
]);

export function createRelay(options: RelayOptions): Relay {
  const { database, content, ledger, faults, logger, now } = options;
  const nameOf = (batch: BatchRow) => ({
    institution: options.institutionName(batch.institution),
    log: (batch.log === LOG_NUMBER.records ? 'records' : 'access') as LogName,
  });

  async function store(batch: BatchRow): Promise<string> {
    const { root, blocks } = await blocksOf(batch);
    await content.put({ root, blocks });
    await setManifest(database, batch, root);
    return root;
  }

  async function blocksOf(batch: BatchRow): Promise<ContentBatch> {
    const first = Number(batch.first);
    const size = Number(batch.size);
    if (await isCarried(batch)) {
      const carried = await selectCarried(database, batch);
      const batches = carried.map((each) => ({ size: Number(each.size), root: each.root, manifest: each.manifest }));
      return carriedBlocks({ ...nameOf(batch), size, batches: batches.filter((each) => each.size <= size) });
    }
    const leaves = await selectBatchLeaves(database, batch, first, size);
    return batchBlocks({ ...nameOf(batch), first, size }, leaves);
  }

  async function anchorCall(batch: BatchRow, manifest: string): Promise<ContractCall> {
    const anchored = await selectAnchored(database, batch);
    const size = Number(batch.size);
    const head = { ...nameOf(batch), size, root: batch.root.toString('hex'), manifest };
    if (anchored === undefined) {
      // Unless that was done when it was added, while the ledger could not be reached.
      await registerInstitution(ledger, head.institution);
      const predecessor = (await isCarried(batch)) ? await options.predecessor?.() : undefined;
      if (predecessor === undefined) return { contract: 'anchor', transaction: 'genesis', args: [canonicalJson(head)] };
      return { contract: 'anchor', transaction: 'carry', args: [canonicalJson({ ...head, predecessor })] };
    }
    const proof = await consistencyProof(Number(anchored.size), size, (tiles) => readTiles(reader, batch, tiles));
    const consistency = proof.map((node) => Buffer.from(node).toString('hex'));
    return { contract: 'anchor', transaction: 'append', args: [canonicalJson({ ...head, consistency })] };
  }

  async function isCarried(batch: BatchRow): Promise<boolean> {
    return batch.first === 0n && (await selectCarriedOf(database, batch, 0n)) !== undefined;
  }

  const reader = {
    query: <Row>(text: string, values?: readonly unknown[]) => database.query<Row>('writer', text, values),
  };

  /** The bytes of this batch's transaction, made durable before anyone could have seen them. */
  async function transactionOf(batch: BatchRow, manifest: string): Promise<Uint8Array | undefined> {
    if (batch.transactionBytes !== null) return batch.transactionBytes;
    const bytes = await settleTransaction(database, batch, await ledger.prepare(await anchorCall(batch, manifest)));
    await faults.at('anchor-endorsed-unsent');
    return bytes;
  }

  async function submit(batch: BatchRow, bytes: Uint8Array): Promise<CommittedTransaction> {
    try {
      return await ledger.submit(bytes);
    } catch (error) {
      const refused = error instanceof MedSealError && error.code === 'ledger-rejected';
      if (refused) await dropTransaction(database, batch, bytes);
      throw error;
    }
  }

  async function advance(batch: BatchRow): Promise<boolean> {
    const manifest = batch.manifest ?? (await store(batch));
    const bytes = await transactionOf(batch, manifest);
    if (bytes === undefined) return false;
    const committed = await submit(batch, bytes);
    await faults.at('anchor-committed-unrecorded');
    if (committed.status !== 'VALID') {
      // It had no effect. Next time it is prepared anew, on what the ledger then holds.
      await dropTransaction(database, batch, bytes);
      return false;
    }
    const { transactionId, block } = committed;
    await setAnchored(database, batch, { transactionId, block, at: new Date(now()).toISOString() });
    return true;
  }

  /** What trying again does not help is marked for an administrator to see; everything is tried again nevertheless. */
  async function hold(batch: BatchRow, error: unknown): Promise<void> {
    const { institution, log } = nameOf(batch);
    const final =
      error instanceof MedSealError && (error.code === 'sealed-content-damaged' || error.code === 'ledger-rejected');
    const reason = final ? (refusalOf(error) ?? error.code) : undefined;
    if (reason !== undefined && reason === batch.held) return;
    logger.error({ err: error, institution, log, size: Number(batch.size) }, 'a batch could not be anchored');
    if (reason === undefined) return;
    await setHeld(database, batch, reason);
    options.onHeld?.(reason);
  }

  async function advanceAll(): Promise<number> {
    let anchored = 0;
    let disagreement: unknown;
    for (const batch of await selectOpenBatches(database)) {
      try {
        if (await advance(batch)) anchored += 1;
      } catch (error) {
        await hold(batch, error);
        if (DISAGREEMENTS.has(refusalOf(error))) disagreement = error;
      }
    }
    if (disagreement !== undefined) throw disagreement;
    return anchored;
  }

  return {
    run: () => database.transaction('writer', async (sql) => ((await tryLock(sql, 'relay')) ? advanceAll() : 0)),
  };
}
