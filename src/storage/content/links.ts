import { decode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { invariant } from '../../errors.ts';
import { parseCid } from './cid.ts';
import type { Batch } from './port.ts';

/**
 * Makes sure that pinning the root of a batch pins the batch: every link leads to one of its blocks, and every block is
 * linked to. Kubo would look for a block that is missing on the network, and drop one that nothing links to.
 */
export function assertLinked({ root, blocks }: Batch): void {
  const missed = new Map(blocks.map(({ cid, bytes }) => [cid, bytes]));
  const open = [root];
  const seen = new Set(open);
  for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
    const bytes = missed.get(cid);
    invariant(bytes !== undefined, 'A batch links to a block that is not in it.');
    missed.delete(cid);
    for (const link of linksOf(cid, bytes)) {
      if (!seen.has(link)) open.push(link);
      seen.add(link);
    }
  }
  invariant(missed.size === 0, 'A block of a batch is not linked from its root.');
}

/** Raw blocks link to nothing. */
function linksOf(cid: string, bytes: Uint8Array): readonly string[] {
  return parseCid(cid)?.codec === 'dag-cbor' ? collect(decode(bytes), []) : [];
}

function collect(value: unknown, links: string[]): readonly string[] {
  const cid = CID.asCID(value);
  if (cid !== null) links.push(cid.toString());
  else if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array)) {
    for (const inner of Object.values(value)) collect(inner, links);
  }
  return links;
}
