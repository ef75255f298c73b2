import { type Predecessor, verifyInclusion } from 'medseal-chaincode/rules';
import { MedSealError } from '../../errors.ts';
import { blockLeaf } from './embedded/blocks.ts';
import { embeddedRootsShape } from './embedded/identities.ts';
import type { PastProof } from './embedded/past.ts';
import { hexadecimal, listOf, record } from './embedded/shape.ts';
import { digest } from './embedded/signatures.ts';
import { type EmbeddedAnchorFacts, verifyEmbeddedAnchor } from './verify-embedded.ts';

const pastProofShape = record({
  roots: embeddedRootsShape,
  proof: () => true,
  block: listOf(hexadecimal(32)),
});

/**
 * Verifies offline that a tree head was anchored on the ledger before: one whose keys, and all of whose blocks, the anchor
 * that carried the log over names. So nothing was added to it since, and nothing in it was changed; what it says of the
 * time before is its operator's own word, as it always was.
 *
 * @param past parsed JSON of unknown origin
 * @param predecessor of an anchor that was verified
 * @throws MedSealError `evidence-invalid`, saying which check failed
 */
export function verifyPastAnchor(past: unknown, predecessor: Predecessor): EmbeddedAnchorFacts {
  demand(pastProofShape(past), 'it does not have the fields of one');
  const { roots, proof, block } = past as PastProof;
  demand(digest(roots) === predecessor.configuration, 'it is of another ledger than the log was carried over from');
  const anchor = verifyEmbeddedAnchor(proof, roots);
  const included = verifyInclusion({
    index: proof.header.number,
    size: predecessor.blocks,
    leaf: blockLeaf(digest(proof.header)),
    root: Buffer.from(predecessor.root, 'hex'),
    proof: block.map((each) => Buffer.from(each, 'hex')),
  });
  demand(included, 'its block was not there when the log was carried over');
  return anchor;
}

function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new MedSealError('evidence-invalid', `The proof of the ledger before does not hold: ${reason}`);
}
