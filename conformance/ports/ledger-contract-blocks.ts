import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Ledger, LedgerBlock } from '../../src/trail/ledger/port.ts';
import type { LedgerAdapter } from './ledger-contract.ts';
import { ask, call, consentRequest, extension, run, startedLog } from './ledger-fixtures.ts';

export function ledgerBlocks(adapter: () => LedgerAdapter): void {
  describe('blocks', () => {
    let ledger: Ledger;
    before(async () => {
      ledger = await adapter().open();
    });

    /** Reads until `done` says so of all that was read. */
    async function follow(from: bigint, done: (blocks: readonly LedgerBlock[]) => boolean) {
      const abort = new AbortController();
      const blocks: LedgerBlock[] = [];
      for await (const block of ledger.blocks(from, abort.signal)) {
        blocks.push(block);
        if (done(blocks)) abort.abort();
      }
      return blocks;
    }
    const has = (transactionId: string) => (blocks: readonly LedgerBlock[]) =>
      blocks.some((block) => block.transactions.some((each) => each.transactionId === transactionId));

    it('come in order, from a checkpoint on, with the events of valid transactions', async () => {
      const institution = await startedLog(ledger, 3);
      const [winner, loser] = await Promise.all([
        ledger.prepare(call('anchor', 'append', await extension(institution, 3, 5))),
        ledger.prepare(call('anchor', 'append', await extension(institution, 3, 7))),
      ]);
      const { block: from } = await ledger.submit(winner.bytes);
      await ledger.submit(loser.bytes);

      const blocks = await follow(from, has(loser.transactionId));
      assert.deepEqual(
        blocks.map((block) => block.number),
        blocks.map((_, index) => from + BigInt(index)),
      );
      const transactions = blocks.flatMap((block) => block.transactions);
      const [won, lost] = [winner, loser].map(({ transactionId }) =>
        transactions.find((each) => each.transactionId === transactionId),
      );
      assert.deepEqual([won?.status, won?.event?.name], ['VALID', 'anchor']);
      const anchor = await ask(ledger, call('anchor', 'read', institution, 'records'));
      assert.deepEqual(JSON.parse(won?.event?.payload ?? ''), anchor);
      assert.deepEqual([lost?.status, lost?.event], ['MVCC_READ_CONFLICT', undefined]);
    });

    it('come when they are committed, by whomever', async () => {
      const institution = await startedLog(ledger, 3);
      const { bytes, transactionId } = await ledger.prepare(
        call('anchor', 'append', await extension(institution, 3, 5)),
      );
      const { block } = await run(ledger, call('consent', 'record', consentRequest(institution)));
      const following = follow(block + 1n, has(transactionId));
      await (await adapter().open()).submit(bytes);
      assert.ok(has(transactionId)(await following));
    });

    it('begin with the first', async () => {
      const [first] = await follow(0n, () => true);
      assert.equal(first?.number, 0n);
    });

    it('end when they are not wanted any more', async () => {
      const abort = new AbortController();
      const { block } = await run(ledger, call('consent', 'record', consentRequest(await startedLog(ledger))));
      const waiting = ledger.blocks(block + 1_000_000n, abort.signal)[Symbol.asyncIterator]();
      const next = waiting.next();
      abort.abort();
      assert.equal((await next).done, true);
      assert.deepEqual(await Array.fromAsync(ledger.blocks(0n, AbortSignal.abort())), []);
    });
  });
}
