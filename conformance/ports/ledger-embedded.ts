import type { TestContext } from 'node:test';
import { noFaults } from '../../src/faults.ts';
import { silentLogger } from '../../src/logger.ts';
import type { Database } from '../../src/storage/database/port.ts';
import { generateLedgerIdentities, type LedgerIdentities } from '../../src/trail/ledger/embedded/identities.ts';
import { createEmbeddedLedger, type EmbeddedLedgerOptions } from '../../src/trail/ledger/embedded/ledger.ts';
import type { Ledger } from '../../src/trail/ledger/port.ts';
import { testDatabase } from '../support/test-database.ts';

/** An embedded ledger of a test's own. */
export interface TestLedger {
  readonly database: Database;
  /** The superuser's. */
  readonly recordsUrl: string;
  readonly keysUrl: string;
  /** Of AMSP, the node's own, BMSP and CMSP. */
  readonly identities: LedgerIdentities;
  readonly ledger: Ledger;
  /** Another connection to the same ledger. */
  open(options?: Partial<EmbeddedLedgerOptions>): Promise<Ledger>;
}

export async function testLedger(test: Pick<TestContext, 'after'>): Promise<TestLedger> {
  const databases = await testDatabase(test);
  const identities = generateLedgerIdentities(['AMSP', 'BMSP', 'CMSP']);
  const always = { database: databases.database, identities, clock: Date.now, faults: noFaults, logger: silentLogger };
  const open = (options: Partial<EmbeddedLedgerOptions> = {}) => createEmbeddedLedger({ ...always, ...options });
  return { ...databases, identities, open, ledger: await open() };
}
