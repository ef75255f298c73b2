import { hash } from 'node:crypto';
import { decode, encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { MedSealError } from '../errors.ts';
import { contentBlocks } from '../sealing/version.ts';
import { cidOfDigest } from '../storage/content/cid.ts';
import type { Block } from '../storage/content/port.ts';
import type { BatchLeaf } from '../storage/trail/log.ts';
import type { LogName } from './leaf.ts';

/**
 * The manifest of a batch: the root block of its CAR, linking to every sealed block in it. It shows leaf hashes and
 * CIDs; everything else about an entry is in its envelope, sealed under the patient's KEK generation (DESIGN §4).
 */
export interface Manifest {
  readonly institution: string;
  readonly log: LogName;
  readonly first: number;
  readonly size: number;
  readonly entries: readonly ManifestEntry[];
}

export interface ManifestEntry {
  readonly leaf: Uint8Array;
  /** Absent for deletions and access leaves. */
  readonly content?: string;
  readonly envelope?: string;
}

const FORMAT = 'medseal/manifest/1';

/** The blocks of a batch, the manifest last. */
export function batchBlocks(
  batch: Omit<Manifest, 'entries'>,
  leaves: readonly BatchLeaf[],
): { readonly root: string; readonly blocks: readonly Block[] } {
  const blocks: Block[] = [];
  const entries = leaves.map((leaf) => {
    const own = leaf.sealed === null || leaf.digest === null ? [] : contentBlocks(leaf.sealed, leaf.digest);
    blocks.push(...own);
    const root = own.at(-1);
    return {
      leaf: leaf.hash,
      ...(root === undefined ? {} : { content: CID.parse(root.cid) }),
      ...(leaf.envelope === null ? {} : { envelope: leaf.envelope }),
    };
  });
  const bytes = encode({ ...batch, entries, format: FORMAT });
  const root = cidOfDigest('dag-cbor', hash('sha256', bytes, 'buffer'));
  return { root, blocks: [...blocks, { cid: root, bytes }] };
}

/** @throws MedSealError `sealed-content-damaged` */
export function readManifest(bytes: Uint8Array): Manifest {
  const value = decode<
    Manifest & { format: string; entries: { leaf: Uint8Array; content?: CID; envelope?: string }[] }
  >(bytes);
  if (value.format !== FORMAT)
    throw new MedSealError('sealed-content-damaged', 'A batch manifest has an unknown format');
  const { institution, log, first, size } = value;
  const entries = value.entries.map(({ leaf, content, envelope }) => ({
    leaf,
    ...(content === undefined ? {} : { content: content.toString() }),
    ...(envelope === undefined ? {} : { envelope }),
  }));
  return { institution, log, first, size, entries };
}
