import { MedSealError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { encodeCar } from '../car/car-file.ts';
import { matchesCid, parseCid } from '../cid.ts';
import { storageError } from './failures.ts';
import type { KuboNode } from './node.ts';

export interface Reading {
  /** As the port's `get`. */
  get(cid: string): Promise<Uint8Array | undefined>;
}

export interface ReadingOptions {
  readonly nodes: readonly KuboNode[];
  readonly logger: Logger;
  /** A node lacks a block that another has, or gave back something else. */
  readonly onDifference: () => void;
  /** Goes on after the answer. */
  readonly inBackground: (work: Promise<void>) => void;
}

/** Blocks that are mended at once; a node that lacks more is for `repair`. */
const MENDING = 4;

/**
 * Gives what any node has, nodes that do not answer last. A node that lacks the block is given it. One that has it
 * damaged keeps it so, because Kubo neither overwrites nor drops what is pinned: `ipfs repo verify --heal` there does.
 */
export function createReading({ nodes, logger, onDifference, inBackground }: ReadingOptions): Reading {
  let mending = 0;

  function mend(node: KuboNode, cid: string, bytes: Uint8Array): void {
    onDifference();
    if (mending >= MENDING) return;
    mending += 1;
    inBackground(
      mendBlock(node, cid, bytes)
        .then((mended) => {
          if (mended) logger.warn({ node: node.name, cid }, 'a block was missing on a Kubo node, and is there again');
          else logger.error({ node: node.name, cid }, 'a block is damaged on a Kubo node: ipfs repo verify --heal');
        })
        .catch((error: unknown) => {
          logger.error({ err: error, node: node.name, cid }, 'a block could not be mended on a Kubo node');
        })
        .finally(() => {
          mending -= 1;
        }),
    );
  }

  return {
    async get(cid) {
      if (parseCid(cid) === undefined) return undefined;
      const lacking: KuboNode[] = [];
      const errors: MedSealError[] = [];
      for (const node of nodes.toSorted((one, other) => Number(one.isFailing()) - Number(other.isFailing()))) {
        const { bytes, error } = await ask(node, cid);
        if (bytes !== undefined) {
          for (const other of lacking) mend(other, cid, bytes);
          return bytes;
        }
        if (error !== undefined) errors.push(error);
        if (error?.code !== 'storage-unavailable') lacking.push(node);
      }
      // As long as a node does not answer it may be the one that has it.
      const error = errors.find(({ code }) => code === 'storage-unavailable') ?? errors[0];
      if (error !== undefined) throw error;
      return undefined;
    },
  };
}

interface Reply {
  /** Verified. */
  readonly bytes?: Uint8Array;
  readonly error?: MedSealError;
}

async function ask(node: KuboNode, cid: string): Promise<Reply> {
  try {
    const bytes = await node.block(cid);
    if (bytes === undefined) return {};
    return matchesCid(cid, bytes) ? { bytes } : { error: damaged(node) };
  } catch (error) {
    return { error: storageError(node.name, error) };
  }
}

async function mendBlock(node: KuboNode, cid: string, bytes: Uint8Array): Promise<boolean> {
  const { bytes: car } = encodeCar({ root: cid, blocks: [{ cid, bytes }] });
  await node.importCar(oneChunk(car), car.byteLength);
  const now = await node.block(cid);
  return now !== undefined && matchesCid(cid, now);
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function damaged({ name }: KuboNode): MedSealError {
  return new MedSealError('sealed-content-damaged', `A block of the Kubo node ${name} is not what its CID says.`);
}
