import { ROLE_ATTRIBUTE, WRITER_ROLE } from 'medseal-chaincode/rules';
import { invariant } from '../../src/errors.ts';
import { noFaults } from '../../src/faults.ts';
import { silentLogger } from '../../src/logger.ts';
import { generateLedgerIdentities, issueClient, ledgerRoots } from '../../src/trail/ledger/embedded/identities.ts';
import { createEmbeddedLedger, type EmbeddedLedgerOptions } from '../../src/trail/ledger/embedded/ledger.ts';
import { verifyEmbeddedAnchor } from '../../src/trail/ledger/verify-embedded.ts';
import { testDatabase } from '../support/test-database.ts';
import { type LedgerAdapter, ledgerContract } from './ledger-contract.ts';

async function embeddedAdapter(): Promise<LedgerAdapter> {
  const cleanups: (() => unknown)[] = [];
  const { database } = await testDatabase({ after: (cleanup) => cleanups.push(cleanup as () => unknown) });
  const identities = generateLedgerIdentities(['AMSP', 'BMSP', 'CMSP']);
  const { channel, organisations } = identities;
  const [own, other] = organisations;
  invariant(own !== undefined && other !== undefined, 'two organisations');
  const open = (options: Partial<EmbeddedLedgerOptions> = {}) => {
    const always = { database, identities, faults: noFaults, logger: silentLogger };
    return createEmbeddedLedger({ ...always, clock: Date.now, endorserClock: Date.now, ...options });
  };
  return {
    open: (skew = 0) => open({ clock: () => Date.now() + skew }),
    openStranger: () => open({ client: issueClient(channel, other, { [ROLE_ATTRIBUTE]: WRITER_ROLE }) }),
    openReader: () => open({ client: issueClient(channel, own, {}) }),
    verify: (proof) => verifyEmbeddedAnchor(proof, ledgerRoots(identities)),
    async close() {
      for (const cleanup of cleanups) await cleanup();
    },
  };
}

ledgerContract('embedded', embeddedAdapter);
