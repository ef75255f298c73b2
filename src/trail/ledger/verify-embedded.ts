import type { Anchor } from 'medseal-chaincode/rules';
import { MedSealError } from '../../errors.ts';
import type { EmbeddedProof } from './embedded/blocks.ts';
import { blockHeaderShape, envelopeShape, transactionIdOf } from './embedded/envelope.ts';
import type { LedgerRoots } from './embedded/identities.ts';
import { constant, hexadecimal, record } from './embedded/shape.ts';
import { digest, verifyCanonical } from './embedded/signatures.ts';
import { endorsersOf, isByMember, pinnedKeys } from './embedded/verify-envelope.ts';

/** What a proof proves about an anchor. */
export interface EmbeddedAnchorFacts extends Anchor {
  /**
   * One operator holds all the keys of an embedded ledger. That the anchor existed by `blockTime` is that operator's
   * own word; that nothing was altered since holds against everybody else.
   */
  readonly assurance: 'self-attested';
  readonly block: number;
  readonly blockTime: string;
  /** MSP ids, sorted. */
  readonly endorsedBy: readonly string[];
}

const proofShape = record({
  ledger: constant('embedded'),
  header: blockHeaderShape,
  signature: hexadecimal(64),
  envelope: envelopeShape,
});

/**
 * Verifies offline that a transaction of an embedded ledger anchored a tree head. Everything in the proof is covered by
 * a signature or a digest, and nothing else is let in; of its JSON text, the caller makes sure that it is canonical.
 *
 * @param proof parsed JSON of unknown origin
 * @param roots pinned by the verifier, never taken from where the proof comes from
 * @throws MedSealError `evidence-invalid`, saying which check failed
 */
export function verifyEmbeddedAnchor(proof: unknown, roots: LedgerRoots): EmbeddedAnchorFacts {
  demand(proofShape(proof), 'it is not a proof of an embedded ledger');
  const { header, signature, envelope } = proof as EmbeddedProof;
  const keys = pinnedKeys(roots);
  demand(header.channel === keys.channel, 'it is of another ledger');
  demand(digest(envelope) === header.dataHash, 'the transaction is not the one in the block');
  demand(verifyCanonical(keys.blockSigner, header, signature), "the block's signature is wrong");
  demand(header.status === 'VALID', 'the transaction was not valid');
  demand(isByMember(envelope, keys), 'the transaction is not from a member of the ledger');
  const endorsers = endorsersOf(envelope, keys);
  demand(endorsers !== undefined, 'an endorsement is wrong');
  const { mspId } = envelope.proposal.creator;
  demand(endorsers.size >= 2 && endorsers.has(mspId), 'its organisation and another one must have endorsed it');
  const anchor = writtenAnchor(proof as EmbeddedProof);
  const endorsedBy = [...endorsers].sort();
  return { ...anchor, assurance: 'self-attested', block: header.number, blockTime: header.time, endorsedBy };
}

/** The state that the transaction wrote, which the endorsements cover as they do the arguments. */
function writtenAnchor({ envelope: { proposal, simulation } }: EmbeddedProof): Anchor {
  const anchoring = proposal.contract === 'anchor' && ['genesis', 'carry', 'append'].includes(proposal.transaction);
  demand(anchoring, 'the transaction anchored nothing');
  const [write, ...more] = simulation.writes;
  demand(write !== undefined && more.length === 0, 'the transaction anchored nothing');
  const anchor = JSON.parse(write.value) as Anchor;
  const own = anchor.transactionId === transactionIdOf(proposal) && anchor.owner === proposal.creator.mspId;
  demand(own, 'the anchor is not of this transaction');
  return anchor;
}

function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new MedSealError('evidence-invalid', `The ledger's proof does not hold: ${reason}`);
}
