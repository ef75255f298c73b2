// An anchor on the ledger that a log was carried over from (src/trail/ledger/verify-past.ts).
import { demand, fromHex } from './bytes.js';
import { digest, embeddedAnchor, embeddedRoots } from './embedded.js';
import { hexadecimal, listOf, record } from './json.js';
import { isIncluded, leafHashOf } from './tree.js';

const hashes = listOf(hexadecimal(32));

export const beforeShape = record({
  inclusion: hashes,
  past: record({ roots: embeddedRoots, proof: () => true, block: hashes }),
});

/** @returns the anchor; its ledger, and its block, are among what `predecessor`, of a verified anchor, names */
export async function anchorBefore({ roots, proof, block }, predecessor) {
  const named = (await digest(roots)) === predecessor.configuration;
  demand(named, 'it is of another ledger than the log was carried over from');
  const anchor = await embeddedAnchor(proof, roots);
  const included = await isIncluded({
    index: proof.header.number,
    size: predecessor.blocks,
    leaf: await leafHashOf(fromHex(await digest(proof.header))),
    root: fromHex(predecessor.root),
    proof: block.map(fromHex),
  });
  demand(included, 'its block was not there when the log was carried over');
  return anchor;
}
