import { setTimeout as delay } from 'node:timers/promises';
import { MedSealError } from '../../../errors.ts';
import { type Faults, noFaults } from '../../../faults.ts';
import type { Logger } from '../../../logger.ts';
import { parseCid } from '../cid.ts';
import type { ContentStore } from '../port.ts';
import { storageError, worstOf } from './failures.ts';
import { DEADLINES, type Deadlines, type KuboNode, openNode, reachableOf } from './node.ts';
import { createPasses, type Passes } from './passes.ts';
import { placements } from './placement.ts';
import { type Parcel, packBatch, putOnNode } from './put.ts';
import { enough } from './quorum.ts';
import { createReading } from './read.ts';
import { type RepairReport, repair } from './repair.ts';
import { createRepairs } from './repairs.ts';
import { createStatus } from './status.ts';
import { createTurns } from './turns.ts';

export interface KuboStoreOptions {
  /** URLs of the nodes' RPC APIs, one's own first: it is asked first. */
  readonly apis: readonly string[];
  readonly logger: Logger;
  readonly faults?: Faults;
  readonly deadlines?: Deadlines;
  /** Milliseconds after which nodes that may differ are compared; never when it is infinite. */
  readonly repairInterval?: number;
}

export interface KuboStore extends ContentStore {
  /** The roots that enough nodes have, of those that answer. */
  kept(): AsyncIterable<string>;
  /** Brings every batch to every node that lacks it. */
  repair(): Promise<RepairReport>;
  close(): Promise<void>;
}

/** On so many nodes a batch must be before it counts as kept, as far as there are as many. */
const COPIES = 2;
/** Puts that a node may be late with, and with them their CARs in memory, before it is sent no more. */
const LATE = 4;
const REPAIR_INTERVAL = 60_000;

/**
 * The content store as one or several Kubo nodes: a batch is a DAG under one recursive pin that bears our name. A put goes
 * to every node and is kept when two have it (one, where there is only one); the others follow, or are mended later. What
 * no pin holds goes with each node's own garbage collection.
 */
export function openKuboStore(options: KuboStoreOptions): KuboStore {
  const { apis, logger, faults = noFaults, deadlines = DEADLINES, repairInterval = REPAIR_INTERVAL } = options;
  const closing = new AbortController();
  const nodes = apis.map((api) => openNode(api, closing.signal, deadlines));
  const copies = Math.min(COPIES, nodes.length);
  const turns = createTurns();
  const late = new Map<KuboNode, number>();
  const background = new Set<Promise<void>>();

  function inBackground(work: Promise<void>): void {
    background.add(work);
    work.finally(() => background.delete(work));
  }

  async function compare(): Promise<RepairReport> {
    await warnOfLoss(nodes, logger);
    return repair({ nodes, turns, logger });
  }
  const repairs = createRepairs({ repair: compare, interval: repairInterval, logger, closing: closing.signal });
  inBackground(repairs.run());
  const reading = createReading({ nodes, logger, onDifference: repairs.need, inBackground });

  async function putOn(node: KuboNode, parcel: Parcel, passes: Passes): Promise<void> {
    try {
      if ((late.get(node) ?? 0) >= LATE) {
        throw new MedSealError('storage-unavailable', `The Kubo node ${node.name} is late with earlier batches.`);
      }
      await putOnNode(node, parcel, passes);
    } catch (error) {
      repairs.need();
      if (!closing.signal.aborted)
        logger.warn({ err: error, node: node.name }, 'a batch could not be put on a Kubo node');
      throw storageError(node.name, error);
    }
  }

  /** Lasts until the last node has it or has failed; `kept` resolves when enough have it. */
  async function putOnAll(parcel: Parcel, kept: PromiseWithResolvers<void>): Promise<void> {
    const passes = createPasses(faults);
    const open = new Set(nodes);
    const puts = nodes.map((node) => putOn(node, parcel, passes).finally(() => open.delete(node)));
    await enough(puts, copies).then(kept.resolve, kept.reject);
    const behind = [...open];
    for (const node of behind) late.set(node, (late.get(node) ?? 0) + 1);
    await Promise.allSettled(puts);
    for (const node of behind) late.set(node, (late.get(node) ?? 1) - 1);
  }

  async function unpin(root: string): Promise<void> {
    const results = await Promise.allSettled(
      nodes.map(async (node) => {
        await node.unpin(root);
        return node.isPinned(root);
      }),
    );
    const errors = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    if (errors.length > 0) throw worstOf(errors.map(({ reason }) => reason as MedSealError));
    // A repair by another replica may have come in between.
    if (results.some((result) => result.status === 'fulfilled' && result.value)) await unpin(root);
  }

  return {
    async put(batch) {
      const parcel = packBatch(batch);
      const kept = Promise.withResolvers<void>();
      inBackground(turns(parcel.root, () => putOnAll(parcel, kept)));
      await kept.promise;
    },

    get: (cid) => reading.get(cid),

    async remove(root) {
      if (parseCid(root) !== undefined) await turns(root, () => unpin(root));
    },

    async *roots() {
      const reachable = await reachableOf(nodes);
      if (nodes.length - reachable.length >= copies) {
        throw new MedSealError('storage-unavailable', 'Too few Kubo nodes answer to know every batch.');
      }
      for await (const { root } of placements(reachable)) yield root;
    },

    async *kept() {
      for await (const { root, holders } of placements(await reachableOf(nodes))) {
        if (holders.length >= copies) yield root;
      }
    },

    status: createStatus(nodes, logger),

    repair: compare,

    async close() {
      closing.abort();
      while (background.size > 0) await Promise.allSettled([...background, delay(0)]);
    },
  };
}

async function warnOfLoss(nodes: readonly KuboNode[], logger: Logger): Promise<void> {
  for (const node of nodes) {
    const durable = await node.isDurable().catch(() => true); // it does not answer, which is told elsewhere
    if (!durable) {
      logger.warn({ node: node.name }, 'a Kubo node may lose batches in a power failure: its flatfs does not sync');
    }
  }
}
