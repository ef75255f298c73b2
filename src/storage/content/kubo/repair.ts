import { MedSealError } from '../../../errors.ts';
import { noFaults } from '../../../faults.ts';
import type { Logger } from '../../../logger.ts';
import { readBatch } from '../car/read-batch.ts';
import { storageError, worstOf } from './failures.ts';
import { type KuboNode, reachableOf } from './node.ts';
import { createPasses } from './passes.ts';
import { placements } from './placement.ts';
import { packBatch, putOnNode } from './put.ts';
import type { Turns } from './turns.ts';

export interface RepairReport {
  /** Batches that any node keeps. */
  readonly batches: number;
  /** Copies made. */
  readonly copied: number;
  /** Copies that could not be made; the log says why. */
  readonly failed: number;
  /** Nodes that did not answer, and so were left out. */
  readonly unreachable: readonly string[];
}

export interface RepairOptions {
  readonly nodes: readonly KuboNode[];
  /** Keeps puts and removals of the same batch apart. */
  readonly turns: Turns;
  readonly logger: Logger;
}

/** Brings every batch that a node lacks to it, from one that has it. */
export async function repair({ nodes, turns, logger }: RepairOptions): Promise<RepairReport> {
  const reachable = await reachableOf(nodes);
  const unreachable = nodes.filter((node) => !reachable.includes(node)).map(({ name }) => name);
  let [batches, copied, failed] = [0, 0, 0];
  for await (const { root, holders } of placements(reachable)) {
    batches += 1;
    for (const node of reachable.filter((one) => !holders.includes(one))) {
      try {
        if (await turns(root, () => copy(root, holders, node))) copied += 1;
      } catch (error) {
        failed += 1;
        logger.warn({ err: error, node: node.name, root }, 'a batch could not be copied to a Kubo node');
      }
    }
  }
  return { batches, copied, failed, unreachable };
}

/**
 * A removal by another process may come in between: it unpins on every node and then looks at every node once more, and
 * this pins and then looks whether the batch is still kept elsewhere, so one of the two sees the other.
 *
 * @returns whether the node keeps the batch now and did not before
 */
async function copy(root: string, holders: readonly KuboNode[], to: KuboNode): Promise<boolean> {
  if (await to.isPinned(root)) return false;
  const errors: MedSealError[] = [];
  for (const from of holders) {
    try {
      if (!(await from.isPinned(root))) continue;
      await putOnNode(to, packBatch(wholeBatch(root, await from.exportCar(root))), createPasses(noFaults));
      if (await from.isPinned(root)) return true;
      await to.unpin(root);
      return false;
    } catch (error) {
      errors.push(storageError(from.name, error));
    }
  }
  if (errors.length > 0) throw worstOf(errors);
  return false;
}

/** @throws MedSealError `sealed-content-damaged` when the CAR is not that batch */
function wholeBatch(root: string, car: Uint8Array) {
  const batch = readBatch(car);
  if (batch.root === root) return batch;
  throw new MedSealError('sealed-content-damaged', 'A Kubo node exports another batch than it was asked for.');
}
