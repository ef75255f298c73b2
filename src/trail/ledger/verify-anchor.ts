import type { LedgerRoots } from './embedded/identities.ts';
import type { FabricRoots } from './fabric/roots.ts';
import { type EmbeddedAnchorFacts, verifyEmbeddedAnchor } from './verify-embedded.ts';
import { type FabricAnchorFacts, verifyFabricAnchor } from './verify-fabric.ts';

/** What a ledger's proof proves about an anchor. */
export type AnchorFacts = EmbeddedAnchorFacts | FabricAnchorFacts;

/**
 * Verifies a ledger's proof offline. The pinned roots say which kind of ledger it has to be of, the proof does not.
 *
 * @throws MedSealError `evidence-invalid`, saying which check failed
 */
export function verifyAnchor(proof: unknown, roots: LedgerRoots | FabricRoots): AnchorFacts {
  return roots.ledger === 'fabric' ? verifyFabricAnchor(proof, roots) : verifyEmbeddedAnchor(proof, roots);
}
