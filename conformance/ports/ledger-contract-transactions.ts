import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { MedSealError } from '../../src/errors.ts';
import { isRetriable, type Ledger } from '../../src/trail/ledger/port.ts';
import type { LedgerAdapter } from './ledger-contract.ts';
import { ask, call, extension, newInstitution, prove, refused, run, startedLog, treeHead } from './ledger-fixtures.ts';

export function ledgerTransactions(adapter: () => LedgerAdapter): void {
  describe('transactions', () => {
    let ledger: Ledger;
    before(async () => {
      ledger = await adapter().open();
    });

    it('take effect when submitted, not when prepared, with a proof that verifies offline', async () => {
      const institution = await startedLog(ledger, 3);
      const prepared = await ledger.prepare(call('anchor', 'append', await extension(institution, 3, 8)));
      assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).size, 3);
      assert.equal(await ledger.find(prepared.transactionId), undefined);

      const committed = await ledger.submit(prepared.bytes);
      assert.equal(committed.status, 'VALID');
      assert.equal(committed.transactionId, prepared.transactionId);
      const anchor = await ask(ledger, call('anchor', 'read', institution, 'records'));
      const { mspId } = ledger.membership;
      assert.deepEqual(
        { ...anchor, time: undefined },
        {
          ...treeHead(institution, 8),
          owner: mspId,
          sequence: 2,
          time: undefined,
          transactionId: committed.transactionId,
        },
      );
      const proof = await prove(ledger, committed.transactionId);
      const facts = adapter().verify(JSON.parse(JSON.stringify(proof)));
      assert.deepEqual({ ...facts, ...anchor }, facts);
      assert.equal(BigInt(facts.block), committed.block);
      assert.ok(facts.endorsedBy.length >= 2 && facts.endorsedBy.includes(mspId));
    });

    it('are found again, by any connection', async () => {
      const institution = newInstitution();
      const registration = { institution, endorsers: [...ledger.membership.others].sort() };
      const committed = await run(ledger, call('anchor', 'register', registration));
      const { prove: _, ...found } = (await (await adapter().open()).find(committed.transactionId)) ?? assert.fail();
      assert.deepEqual(found, committed);
      assert.equal(await ledger.find('00'.repeat(32)), undefined);
    });

    it('have one effect however often and wherever their bytes are submitted', async () => {
      const institution = await startedLog(ledger, 3);
      const { bytes } = await ledger.prepare(call('anchor', 'append', await extension(institution, 3, 5)));
      const others = await Promise.all([adapter().open(), adapter().open()]);
      const results = await Promise.all([ledger, ...others, ledger].map((each) => each.submit(bytes)));
      results.push(await ledger.submit(bytes));
      for (const result of results) assert.deepEqual(result, results[0]);
      assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).sequence, 2);
    });

    it('survive whoever prepared them', async () => {
      const institution = await startedLog(ledger, 3);
      const first = await adapter().open();
      const { bytes, transactionId } = await first.prepare(
        call('anchor', 'append', await extension(institution, 3, 6)),
      );
      const second = await adapter().open();
      assert.equal((await second.submit(Buffer.from(bytes))).transactionId, transactionId);
      assert.equal((await ask(second, call('anchor', 'read', institution, 'records'))).size, 6);
    });

    it('that read what another one changed have no effect, and may be prepared anew', async () => {
      const institution = await startedLog(ledger, 3);
      const [winner, loser] = await Promise.all([
        ledger.prepare(call('anchor', 'append', await extension(institution, 3, 5))),
        ledger.prepare(call('anchor', 'append', await extension(institution, 3, 7))),
      ]);
      assert.equal((await ledger.submit(winner.bytes)).status, 'VALID');
      const lost = await ledger.submit(loser.bytes);
      assert.equal(lost.status, 'MVCC_READ_CONFLICT');
      assert.ok(isRetriable(lost.status));
      assert.deepEqual(await ledger.submit(loser.bytes), lost);
      assert.equal((await ledger.find(loser.transactionId))?.status, 'MVCC_READ_CONFLICT');
      assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).size, 5);
      const proof = await prove(ledger, lost.transactionId);
      assert.throws(() => adapter().verify(proof), MedSealError);

      const again = await run(ledger, call('anchor', 'append', await extension(institution, 5, 7)));
      assert.equal(again.status, 'VALID');
    });

    it('that are damaged have no effect', async () => {
      const institution = await startedLog(ledger, 3);
      const { bytes } = await ledger.prepare(call('anchor', 'append', await extension(institution, 3, 5)));
      const outcome = async (altered: Uint8Array) => {
        try {
          return (await ledger.submit(altered)).status;
        } catch (error) {
          assert.ok(error instanceof MedSealError && error.code === 'ledger-rejected', String(error));
          return error.code;
        }
      };
      for (const at of [0, 0.2, 0.4, 0.6, 0.8, 0.99]) {
        const altered = Buffer.from(bytes);
        const index = Math.floor(at * altered.length);
        altered[index] = (altered[index] ?? 0) ^ 1;
        assert.notEqual(await outcome(altered), 'VALID', `byte ${index}`);
      }
      assert.equal(await outcome(Buffer.from(bytes).subarray(0, -1)), 'ledger-rejected');
      assert.equal(await outcome(new Uint8Array()), 'ledger-rejected');
      assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).size, 3);
      assert.equal(await outcome(bytes), 'VALID');
    });

    it('are only evaluated when that is asked', async () => {
      const institution = await startedLog(ledger, 3);
      const answer = await ask(ledger, call('anchor', 'append', await extension(institution, 3, 5)));
      assert.equal(answer.size, 5);
      assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).size, 3);
    });

    it('that no contract has are refused', async () => {
      await refused(ledger, call('anchor', 'destroy', 'x'), 'unknown-transaction');
      await refused(ledger, call('anchor', '_writer', 'x'), 'unknown-transaction');
      await refused(ledger, call('anchor', 'constructor', 'x'), 'unknown-transaction');
      await refused(ledger, call('anchor', 'toString', 'x'), 'unknown-transaction');
      await refused(ledger, call('anchor', 'unknownTransaction', 'x'), 'unknown-transaction');
      await refused(ledger, call('anchor', 'append'), undefined);
      await refused(ledger, call('anchor', 'append', '{}', '{}'), undefined);
      await refused(ledger, call('anchor', 'append', '{}'), 'invalid-argument');
    });
  });
}
