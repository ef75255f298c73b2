import { MedSealError } from '../../../errors.ts';
import { encodeCar } from '../car/car-file.ts';
import { readCar } from '../car/read-batch.ts';
import type { Section } from '../car/sections.ts';
import { cidBytes } from '../cid.ts';
import { assertLinked } from '../links.ts';
import type { Batch } from '../port.ts';
import type { KuboNode } from './node.ts';
import type { Passes } from './passes.ts';

/** A batch that is known to be whole, and its CAR, which all nodes are sent. */
export interface Parcel extends Batch {
  readonly car: Uint8Array;
}

/** @throws MedSealError `internal` when the batch is not as the port says, in full and linked from its root */
export function packBatch(batch: Batch): Parcel {
  const { bytes } = encodeCar(batch);
  assertLinked(batch);
  return { ...batch, car: bytes };
}

/**
 * Puts a batch on one node: imports its blocks, pins its root, reads back. What is cut short before the pin leaves blocks
 * that no pin holds, for the next garbage collection or the next put. A root that is pinned is not pinned again, because
 * Kubo would drop the pin before it looks whether it can have it back.
 */
export async function putOnNode(node: KuboNode, parcel: Parcel, passes: Passes): Promise<void> {
  // Before it is sent megabytes that nobody may receive.
  if (node.isFailing()) await node.ping();
  await passes.at('content-before-put');
  await passes.at('disk-full').catch((cause: unknown) => {
    throw new MedSealError('storage-full', 'The content store has no space left.', { cause });
  });
  if ((await node.isPinned(parcel.root)) && !(await holdsAll(node, parcel))) await discard(node, parcel);
  await node.importCar(bodyOf(parcel.car, passes), parcel.car.byteLength);
  passes.refuseTorn();
  await passes.at('content-before-pin');
  if (!(await node.isPinned(parcel.root))) await node.pin(parcel.root);
  await passes.at('content-pin-unknown');
  await passes.at('content-read-back');
  await readBack(node, parcel, passes);
  await passes.at('content-after-put');
}

async function* bodyOf(car: Uint8Array, passes: Passes): AsyncGenerator<Uint8Array> {
  const end = passes.sent(car.byteLength);
  const middle = Math.floor(end / 2);
  yield car.subarray(0, middle);
  await passes.at('content-during-put');
  yield car.subarray(middle, end);
}

/** Every block is compared with what was sent, in one export of the batch. What differs is not kept. */
async function readBack(node: KuboNode, parcel: Parcel, passes: Passes): Promise<void> {
  if ((await node.isPinned(parcel.root)) && (await isIntact(node, parcel, passes))) return;
  await discard(node, parcel);
  throw new MedSealError('sealed-content-damaged', `The Kubo node ${node.name} does not give back what it was given.`);
}

/**
 * Of a batch that was pinned before. Block by block: an export of one that is missing would look for it on the network, and
 * cannot be told not to.
 */
async function holdsAll(node: KuboNode, { blocks }: Batch): Promise<boolean> {
  for (let at = 0; at < blocks.length; at += READ_TOGETHER) {
    const some = blocks.slice(at, at + READ_TOGETHER);
    const held = await Promise.all(some.map(({ cid, bytes }) => isHeld(node, cid, bytes)));
    if (held.includes(false)) return false;
  }
  return true;
}

const READ_TOGETHER = 16;

async function isHeld(node: KuboNode, cid: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return isSame(bytes, await node.block(cid));
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'sealed-content-damaged') return false;
    throw error;
  }
}

/** By their bytes: those that were sent have been compared with their CIDs. */
async function isIntact(node: KuboNode, { root, blocks }: Batch, passes?: Passes): Promise<boolean> {
  const car = await node.exportCar(root);
  const held = sectionsOf(passes?.returned(car) ?? car);
  const sent = new Map(blocks.map(({ cid, bytes }) => [cidBytes(cid)?.toString('latin1'), bytes]));
  return held?.length === sent.size && held.every(({ cid, bytes }) => isSame(sent.get(cid.toString('latin1')), bytes));
}

/** Unpins the batch, and drops its damaged blocks, because Kubo does not write again what it has. */
async function discard(node: KuboNode, { root, blocks }: Batch): Promise<void> {
  await node.unpin(root);
  for (const { cid, bytes } of blocks) {
    const held = await node.block(cid);
    if (held !== undefined && !isSame(bytes, held)) await node.dropBlocks([cid]);
  }
}

/** undefined for what cannot be read: Kubo ends an export where it finds damage. */
function sectionsOf(car: Uint8Array): readonly Section[] | undefined {
  try {
    return readCar(car).sections;
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'sealed-content-damaged') return undefined;
    throw error;
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}
