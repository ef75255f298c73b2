import { after, before, describe } from 'node:test';
import type { Ledger, LedgerProof } from '../../src/trail/ledger/port.ts';
import type { EmbeddedAnchorFacts } from '../../src/trail/ledger/verify-embedded.ts';
import { ledgerAnchors } from './ledger-contract-anchors.ts';
import { ledgerBlocks } from './ledger-contract-blocks.ts';
import { ledgerConsents } from './ledger-contract-consents.ts';
import { ledgerTransactions } from './ledger-contract-transactions.ts';

/** What the suite needs of a ledger. Every call opens another connection to the same one. */
export interface LedgerAdapter {
  /** As an anchorer of the first organisation, whose clock is so many milliseconds ahead. */
  open(skew?: number): Promise<Ledger>;
  /** As an anchorer of another organisation. */
  openStranger(): Promise<Ledger>;
  /** As a client of the first organisation that has no role. */
  openReader(): Promise<Ledger>;
  /** Verifies offline, from pinned roots. */
  verify(proof: LedgerProof): Omit<EmbeddedAnchorFacts, 'assurance' | 'blockTime'>;
  close(): Promise<void>;
}

/** The contract of the ledger port, and of the chaincode behind it. */
export function ledgerContract(name: string, makeAdapter: () => Promise<LedgerAdapter>): void {
  describe(`ledger: ${name}`, () => {
    let made: LedgerAdapter;
    const adapter = () => made;
    before(async () => {
      made = await makeAdapter();
    });
    after(() => made.close());

    ledgerTransactions(adapter);
    ledgerAnchors(adapter);
    ledgerConsents(adapter);
    ledgerBlocks(adapter);
  });
}
