import type { PastProof } from '../ledger/embedded/past.ts';
import type { LedgerProof } from '../ledger/port.ts';

/**
 * What proves, with no server and no network, that one version of a record existed when its batch was anchored, and that
 * nothing in it was altered since. As a file it is RFC 8785 canonical JSON, and every byte is either an input of a check
 * or refused.
 */
export interface Evidence {
  readonly format: typeof EVIDENCE_FORMAT;
  readonly algorithms: typeof ALGORITHMS;
  /** `{institution}/{Type}/{id}` */
  readonly record: string;
  readonly version: number;
  readonly interaction: 'create' | 'update' | 'delete';
  /** When the server accepted it, RFC 3339 in UTC. */
  readonly time: string;
  readonly author: string;
  /** The resource's exact text; null for a deletion. */
  readonly resource: string | null;
  /** The sealed block in the content store. */
  readonly cid: string | null;
  /** Leaf hash of the version before, base64url. */
  readonly previous: string | null;
  /** Opens the leaf's commitments, base64url. */
  readonly salt: string;
  /** Number of the leaf in the institution's log of records. */
  readonly leaf: number;
  /** RFC 9162 §2.1.3, hexadecimal. */
  readonly inclusion: readonly string[];
  /** The anchor of the tree that the leaf is included in. */
  readonly ledger: LedgerProof;
  /** Of a leaf that another ledger had anchored before, where that one's own proof is still there. */
  readonly before?: EvidenceBefore;
}

export interface EvidenceBefore {
  /** RFC 9162 §2.1.3 in the tree that was anchored there, hexadecimal. */
  readonly inclusion: readonly string[];
  readonly past: PastProof;
}

export const EVIDENCE_FORMAT = 'medseal/evidence/1';

/** Named in the file, so that a reader in twenty years knows what was used. */
export const ALGORITHMS = {
  commitment: 'HMAC-SHA-256',
  leaf: 'RFC 8785, RFC 9162 §2.1.1 with SHA-256',
  sealing: 'RFC 7516 dir A256GCM',
  tree: 'RFC 9162 with SHA-256',
} as const;
