import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { NO_RELEASE, type RefusalCode } from 'medseal-chaincode/rules';
import { MedSealError } from '../../src/errors.ts';
import type { Ledger } from '../../src/trail/ledger/port.ts';
import type { LedgerAdapter } from './ledger-contract.ts';
import {
  ask,
  call,
  consentRequest,
  extension,
  newInstitution,
  opaqueKey,
  refused,
  run,
  startedLog,
  treeHead,
} from './ledger-fixtures.ts';

/** Of a ledger that nobody here knows. */
const PREDECESSOR = { configuration: 'aa'.repeat(32), blocks: 40, root: 'bb'.repeat(32) };

export function ledgerAnchors(adapter: () => LedgerAdapter): void {
  describe('anchors', () => {
    let ledger: Ledger;
    before(async () => {
      ledger = await adapter().open();
    });

    it('are refused by rule', async () => {
      const institution = await startedLog(ledger, 4);
      const good = await extension(institution, 4, 6);
      const fresh = newInstitution();
      const cases: [RefusalCode, string, object][] = [
        ['anchor-exists', 'genesis', treeHead(institution, 6)],
        ['anchor-exists', 'carry', { ...treeHead(institution, 6), predecessor: PREDECESSOR }],
        ['invalid-argument', 'carry', treeHead(institution, 6)],
        ['anchor-same-size', 'append', { ...treeHead(institution, 4), consistency: [] }],
        ['anchor-smaller', 'append', { ...treeHead(institution, 3), consistency: [] }],
        ['anchor-inconsistent', 'append', { ...good, consistency: [] }],
        ['anchor-inconsistent', 'append', { ...good, root: treeHead(institution, 7).root }],
        ['anchor-inconsistent', 'append', await extension(institution, 3, 6)],
        ['anchor-missing', 'append', await extension(fresh, 4, 6)],
        ['not-registered', 'genesis', treeHead(fresh, 6)],
        ['not-registered', 'carry', { ...treeHead(fresh, 6), predecessor: PREDECESSOR }],
        ['invalid-argument', 'append', { ...good, manifest: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG' }],
        ['invalid-argument', 'append', { ...good, log: 'other' }],
        ['invalid-argument', 'append', { ...good, extra: true }],
        ['invalid-argument', 'register', { institution: fresh, endorsers: [ledger.membership.mspId] }],
      ];
      for (const [code, transaction, argument] of cases) {
        await refused(ledger, call('anchor', transaction, argument), code);
      }
      assert.equal((await run(ledger, call('anchor', 'append', good))).status, 'VALID');
    });

    it('take over a log that another ledger anchored before, once', async () => {
      const institution = newInstitution();
      const endorsers = [...ledger.membership.others].sort();
      await run(ledger, call('anchor', 'register', { institution, endorsers }));
      const carried = { ...treeHead(institution, 700), predecessor: PREDECESSOR };
      assert.equal((await run(ledger, call('anchor', 'carry', carried))).status, 'VALID');
      await refused(ledger, call('anchor', 'carry', { ...carried, ...treeHead(institution, 800) }), 'anchor-exists');
      await refused(ledger, call('anchor', 'genesis', treeHead(institution, 800)), 'anchor-exists');
      const stored = await ask(ledger, call('anchor', 'read', institution, 'records'));
      assert.deepEqual([stored.size, stored.sequence, stored.predecessor], [700, 1, PREDECESSOR]);
      const stranger = await adapter().openStranger();
      await refused(stranger, call('anchor', 'carry', { ...carried, log: 'access' }), 'not-owner');
      await run(ledger, call('anchor', 'append', await extension(institution, 700, 701)));
      const { items } = await ask(ledger, call('anchor', 'history', institution, 'records', '', '10'));
      assert.deepEqual(
        items.map((anchor: { predecessor?: object }) => anchor.predecessor),
        [undefined, PREDECESSOR],
      );
    });

    it('of one institution cannot be written by another', async () => {
      const institution = await startedLog(ledger, 3);
      const stranger = await adapter().openStranger();
      const consent = consentRequest(institution);
      await run(ledger, call('consent', 'record', consent));
      const release = { consent: consent.consent, grantee: consent.grantees[0] ?? '', sequence: 1 };
      for (const what of [
        call('anchor', 'append', await extension(institution, 3, 5)),
        call('anchor', 'genesis', { ...treeHead(institution, 3), log: 'access' }),
        call('anchor', 'register', { institution, endorsers: [ledger.membership.mspId] }),
        call('anchor', 'renewEndorsers', institution, 'records'),
        call('anchor', 'recordErasure', { institution, notice: opaqueKey(), commitment: opaqueKey() }),
        call('consent', 'record', consentRequest(institution)),
        call('consent', 'record', { ...consent, version: 2, status: 'withdrawn' }),
        call('release', 'record', { ...release, previous: NO_RELEASE, manifest: treeHead(institution, 1).manifest }),
      ]) {
        await refused(stranger, what, 'not-owner');
      }
      assert.equal((await ask(stranger, call('anchor', 'read', institution, 'records'))).size, 3);
    });

    it('are not written without the role', async () => {
      const institution = await startedLog(ledger, 3);
      const reader = await adapter().openReader();
      await refused(reader, call('anchor', 'append', await extension(institution, 3, 5)), 'not-permitted');
      await refused(reader, call('consent', 'record', consentRequest(institution)), 'not-permitted');
      assert.equal((await ask(reader, call('anchor', 'read', institution, 'records'))).size, 3);
    });

    it('are not dated back or ahead', async () => {
      const institution = await startedLog(ledger, 3);
      const append = call('anchor', 'append', await extension(institution, 3, 5));
      for (const minutes of [-6, 6]) await refused(await adapter().open(minutes * 60_000), append, 'stale-proposal');
      for (const minutes of [-4, 4]) await (await adapter().open(minutes * 60_000)).prepare(append);
    });

    it('keep their history, and the two logs apart', async () => {
      const institution = await startedLog(ledger, 1);
      await run(ledger, call('anchor', 'genesis', { ...treeHead(institution, 9), log: 'access' }));
      for (let size = 1; size < 6; size++) {
        await run(ledger, call('anchor', 'append', await extension(institution, size, size + 1)));
      }
      const sizes = async (before: string, limit: string) => {
        const answer = await ask(ledger, call('anchor', 'history', institution, 'records', before, limit));
        return answer.items.map((anchor: { size: number }) => anchor.size);
      };
      assert.deepEqual(await sizes('', '100'), [6, 5, 4, 3, 2, 1]);
      assert.deepEqual(await sizes('', '2'), [6, 5]);
      assert.deepEqual(await sizes('5', '2'), [4, 3]);
      assert.deepEqual(await sizes('2', '2'), [1]);
      assert.equal((await ask(ledger, call('anchor', 'read', institution, 'access'))).size, 9);
      assert.equal(await ask(ledger, call('anchor', 'read', newInstitution(), 'records')), null);
    });

    it('can be listed by pages', async () => {
      const mine = await Promise.all([startedLog(ledger, 1), startedLog(ledger, 2), startedLog(ledger, 3)]);
      const found = new Set<string>();
      let bookmark = '';
      do {
        const page = await ask(ledger, call('anchor', 'list', '2', bookmark));
        assert.ok(page.items.length <= 2);
        for (const { institution, log } of page.items) {
          assert.ok(!found.has(`${institution}/${log}`), 'no item comes twice');
          found.add(`${institution}/${log}`);
        }
        bookmark = page.bookmark;
      } while (bookmark !== '');
      for (const institution of mine) assert.ok(found.has(`${institution}/records`));
      await assert.rejects(ask(ledger, call('anchor', 'list', '0', '')), MedSealError);
      await assert.rejects(ask(ledger, call('anchor', 'list', '101', '')), MedSealError);
    });

    it('may get new endorsers', async () => {
      const institution = await startedLog(ledger, 3);
      const renewed = await run(ledger, call('anchor', 'renewEndorsers', institution, 'records'));
      assert.equal(renewed.status, 'VALID');
      assert.equal((await run(ledger, call('anchor', 'append', await extension(institution, 3, 5)))).status, 'VALID');
      const registered = await ask(ledger, call('anchor', 'readInstitution', institution));
      assert.deepEqual(registered.endorsers, [...ledger.membership.others].sort());
      await refused(ledger, call('anchor', 'renewEndorsers', institution, 'access'), 'anchor-missing');
    });

    it('have erasure notices beside them, each once', async () => {
      const institution = await startedLog(ledger, 3);
      const request = { institution, notice: opaqueKey(), commitment: opaqueKey() };
      const { transactionId } = await run(ledger, call('anchor', 'recordErasure', request));
      await refused(ledger, call('anchor', 'recordErasure', request), 'erasure-exists');
      const notice = await ask(ledger, call('anchor', 'readErasure', institution, request.notice));
      assert.deepEqual({ ...notice, ...request, transactionId }, notice);
      const listed = await ask(ledger, call('anchor', 'listErasures', institution, '10', ''));
      assert.deepEqual(listed, { bookmark: '', items: [notice] });
    });
  });
}
