import { after, before, describe, type TestContext, test } from 'node:test';
import type { Database } from '../../src/storage/database/port.ts';
import { testClosing } from './database-contract-closing.ts';
import { testCrashes } from './database-contract-crashes.ts';
import { testFailures } from './database-contract-failures.ts';
import { testListening } from './database-contract-listening.ts';
import { testRights } from './database-contract-rights.ts';
import { testStatements } from './database-contract-statements.ts';
import { testTransactions } from './database-contract-transactions.ts';
import { type ContractTest, type DatabaseHarness, ownName } from './database-harness.ts';
import { openPlace } from './database-process.ts';

/** What every adapter of the database port must do. `makeAdapter` is called twice: the crash drills kill theirs. */
export function databaseContract(adapter: string, makeAdapter: () => Promise<DatabaseHarness>): void {
  describe(`database port: ${adapter}`, () => {
    let database: Database | undefined;
    let harness: DatabaseHarness | undefined;
    before(async () => {
      harness = await makeAdapter();
      database = await openPlace(harness.place);
    });
    after(async () => {
      await database?.close();
      await harness?.close();
    });

    const contractTest: ContractTest = (name, run) =>
      test(name, async (context: TestContext) => {
        if (database === undefined || harness === undefined) throw new Error('the adapter did not open');
        await run({ database, harness, own: ownName() }, context);
      });
    testStatements(contractTest);
    testTransactions(contractTest);
    testRights(contractTest);
    testFailures(contractTest);
    testListening(contractTest);
    // Last, as it closes the database.
    testClosing(contractTest);
  });
  describe(`database port under kill -9: ${adapter}`, () => testCrashes(makeAdapter));
}
