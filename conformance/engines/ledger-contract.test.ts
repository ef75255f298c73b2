/** The one suite of the ledger port on a real channel. */
import { test } from 'node:test';
import { verifyFabricAnchor } from '../../src/trail/ledger/verify-fabric.ts';
import { type LedgerAdapter, ledgerContract } from '../ports/ledger-contract.ts';
import { skippedWithout } from '../support/engines.ts';
import { testNetwork } from '../support/test-network.ts';

async function fabricAdapter(): Promise<LedgerAdapter> {
  const { network, roots, open, openReader, close } = await testNetwork('raft');
  const [own, other] = network.organisations;
  if (own === undefined || other === undefined) throw new Error('a network of two organisations at least');
  return {
    open: async (skew = 0) => open(own, { clock: () => Date.now() + skew }),
    openStranger: async () => open(other),
    openReader: async () => openReader(own),
    verify: (proof) => verifyFabricAnchor(proof, roots),
    close,
  };
}

const skip = skippedWithout('peer');
if (skip === false) ledgerContract('Fabric', fabricAdapter);
else test('ledger: Fabric', { skip });
