import { decode, encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { MedSealError } from '../errors.ts';
import { contentBlocks } from '../sealing/version.ts';
import { cidOf } from '../storage/content/cid.ts';
import type { Block, ContentStore } from '../storage/content/port.ts';
import type { BatchLeaf } from '../storage/trail/log.ts';
import type { LogName } from './leaf.ts';

/**
 * The manifest of a batch: the root block of its CAR and the pages that it links to, which link to every sealed block.
 * It shows leaf hashes and CIDs; everything else about an entry is in its envelope, sealed under the patient's KEK
 * generation (DESIGN §4). With the ledger, which has its CID, and the key service it is enough to make the records
 * database again (interactions/rebuild).
 */
export interface Manifest {
  readonly institution: string;
  readonly log: LogName;
  readonly first: number;
  readonly size: number;
  /** Of the leaves `first` to `size`, in order. */
  readonly entries: readonly ManifestEntry[];
}

export interface ManifestEntry {
  readonly leaf: Uint8Array;
  /** Absent for deletions and access leaves. */
  readonly content?: string;
  readonly envelope?: string;
}

const FORMAT = 'medseal/manifest/1';
/** No IPFS block may exceed what bitswap carries (2 MiB); a page ends with the entry that reaches this. */
const PAGE_BYTES = 512 * 1024;

interface StoredRoot extends Omit<Manifest, 'entries'> {
  readonly format: string;
  readonly pages: readonly CID[];
}

interface StoredEntry extends Omit<ManifestEntry, 'content'> {
  readonly content?: CID;
}

/** The blocks of a batch, the manifest's root last. */
export function batchBlocks(
  batch: Omit<Manifest, 'entries'>,
  leaves: readonly BatchLeaf[],
): { readonly root: string; readonly blocks: readonly Block[] } {
  const blocks: Block[] = [];
  const entries = leaves.map((leaf): StoredEntry => {
    const own = leaf.sealed === null || leaf.digest === null ? [] : contentBlocks(leaf.sealed, leaf.digest);
    blocks.push(...own);
    const root = own.at(-1);
    return {
      leaf: leaf.hash,
      ...(root === undefined ? {} : { content: CID.parse(root.cid) }),
      ...(leaf.envelope === null ? {} : { envelope: leaf.envelope }),
    };
  });
  const pages = pagesOf(entries).map(blockOf);
  const root = blockOf({ ...batch, format: FORMAT, pages: pages.map(({ cid }) => CID.parse(cid)) });
  return { root: root.cid, blocks: [...blocks, ...pages, root] };
}

function pagesOf(entries: readonly StoredEntry[]): readonly (readonly StoredEntry[])[] {
  const pages: StoredEntry[][] = [];
  let bytes = PAGE_BYTES;
  for (const entry of entries) {
    if (bytes >= PAGE_BYTES) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)?.push(entry);
    bytes += ENTRY_BYTES + (entry.envelope?.length ?? 0);
  }
  return pages;
}

/** A leaf hash, a CID, and what CBOR needs around them. */
const ENTRY_BYTES = 128;

function blockOf(value: unknown): Block {
  const bytes = encode(value);
  return { cid: cidOf('dag-cbor', bytes), bytes };
}

/**
 * Reads a batch's manifest, by its CID, out of the content store.
 *
 * @throws MedSealError `sealed-content-damaged` when it, or a page of it, is not there or not of this form
 */
export async function readManifest(content: Pick<ContentStore, 'get'>, root: string): Promise<Manifest> {
  const { format, institution, log, first, size, pages } = await readBlock<StoredRoot>(content, root);
  if (format !== FORMAT) {
    throw new MedSealError('sealed-content-damaged', 'A batch manifest has an unknown format');
  }
  const entries: ManifestEntry[] = [];
  for (const page of pages) {
    for (const entry of await readBlock<readonly StoredEntry[]>(content, page.toString())) {
      const { leaf, content: cid, envelope } = entry;
      entries.push({
        leaf,
        ...(cid === undefined ? {} : { content: cid.toString() }),
        ...(envelope === undefined ? {} : { envelope }),
      });
    }
  }
  if (entries.length !== size - first) {
    throw new MedSealError('sealed-content-damaged', 'A batch manifest does not have an entry for each leaf');
  }
  return { institution, log, first, size, entries };
}

async function readBlock<T>(content: Pick<ContentStore, 'get'>, cid: string): Promise<T> {
  const bytes = await content.get(cid);
  if (bytes === undefined) {
    throw new MedSealError('sealed-content-damaged', 'The content store does not have the manifest of a batch');
  }
  try {
    return decode<T>(bytes);
  } catch (cause) {
    throw new MedSealError('sealed-content-damaged', 'A batch manifest cannot be read', { cause });
  }
}
