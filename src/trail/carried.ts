import { decode, encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { MedSealError } from '../errors.ts';
import { cidOf } from '../storage/content/cid.ts';
import type { Block, ContentStore } from '../storage/content/port.ts';
import type { LogName } from './leaf.ts';

/**
 * The manifest of a log that was anchored on another ledger before: instead of leaves it lists the batches that they were
 * sealed in, each by its size, root and own manifest. What the first anchor here names leads to every record (rebuild).
 *
 * The batches are named, not linked to: each stays a root of its own, which can be replaced alone.
 */
export interface CarriedManifest {
  readonly institution: string;
  readonly log: LogName;
  readonly size: number;
  /** In order, and without gaps, from the log's first leaf on. */
  readonly batches: readonly CarriedEntry[];
}

export interface CarriedEntry {
  /** Of the log at the batch's end. */
  readonly size: number;
  readonly root: Uint8Array;
  /** CID */
  readonly manifest: string;
}

const FORMAT = 'medseal/carried/1';
/** A few hundred kilobytes. */
const ENTRIES_PER_PAGE = 4000;

interface StoredRoot extends Omit<CarriedManifest, 'batches'> {
  readonly format: string;
  readonly pages: readonly CID[];
}

/** The blocks of the manifest, its root last. */
export function carriedBlocks({ institution, log, size, batches }: CarriedManifest): {
  readonly root: string;
  readonly blocks: readonly Block[];
} {
  const pages: Block[] = [];
  for (let at = 0; at < batches.length; at += ENTRIES_PER_PAGE) {
    pages.push(blockOf(batches.slice(at, at + ENTRIES_PER_PAGE)));
  }
  const root = blockOf({ format: FORMAT, institution, log, size, pages: pages.map(({ cid }) => CID.parse(cid)) });
  return { root: root.cid, blocks: [...pages, root] };
}

function blockOf(value: unknown): Block {
  const bytes = encode(value);
  return { cid: cidOf('dag-cbor', bytes), bytes };
}

/**
 * Reads such a manifest out of the content store; undefined when the block is there and is not one.
 *
 * @throws MedSealError `sealed-content-damaged` when it, or a page of it, is not there or not whole
 */
export async function readCarried(
  content: Pick<ContentStore, 'get'>,
  cid: string,
): Promise<CarriedManifest | undefined> {
  const { format, institution, log, size, pages } = await readBlock<StoredRoot>(content, cid);
  if (format !== FORMAT) return undefined;
  const batches: CarriedEntry[] = [];
  for (const page of pages) batches.push(...(await readBlock<readonly CarriedEntry[]>(content, page.toString())));
  const ascending = batches.every((batch, index) => (batches[index - 1]?.size ?? 0) < batch.size);
  if (!ascending || batches.at(-1)?.size !== size) {
    throw new MedSealError('sealed-content-damaged', 'The manifest of a carried log does not list its batches');
  }
  return { institution, log, size, batches };
}

async function readBlock<T>(content: Pick<ContentStore, 'get'>, cid: string): Promise<T> {
  const bytes = await content.get(cid);
  if (bytes === undefined) {
    throw new MedSealError('sealed-content-damaged', 'The content store does not have the manifest of a carried log');
  }
  try {
    return decode<T>(bytes);
  } catch (cause) {
    throw new MedSealError('sealed-content-damaged', 'The manifest of a carried log cannot be read', { cause });
  }
}
