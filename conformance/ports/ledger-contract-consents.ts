import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { NO_RELEASE, releaseHash } from 'medseal-chaincode/rules';
import type { Ledger } from '../../src/trail/ledger/port.ts';
import type { LedgerAdapter } from './ledger-contract.ts';
import { ask, call, consentRequest, opaqueKey, refused, run, startedLog, treeHead } from './ledger-fixtures.ts';

export function ledgerConsents(adapter: () => LedgerAdapter): void {
  describe('consents and releases', () => {
    let ledger: Ledger;
    before(async () => {
      ledger = await adapter().open();
    });

    it('go from active to ended, by growing versions', async () => {
      const institution = await startedLog(ledger);
      const request = consentRequest(institution);
      await refused(ledger, call('consent', 'record', { ...request, status: 'withdrawn' }), 'consent-missing');
      await run(ledger, call('consent', 'record', request));
      await refused(ledger, call('consent', 'record', request), 'consent-version');
      await run(ledger, call('consent', 'record', { ...request, version: 3 }));
      await run(ledger, call('consent', 'record', { ...request, version: 4, status: 'withdrawn' }));
      await refused(ledger, call('consent', 'record', { ...request, version: 5 }), 'consent-ended');
      assert.equal((await ask(ledger, call('consent', 'read', request.consent))).status, 'withdrawn');
      const { items } = await ask(ledger, call('consent', 'history', request.consent, '', '10'));
      assert.deepEqual(
        items.map((state: { version: number }) => state.version),
        [4, 3, 1],
      );
    });

    it('release only to grantees, in a chain, until the consent ends', async () => {
      const institution = await startedLog(ledger);
      const request = consentRequest(institution);
      await run(ledger, call('consent', 'record', request));
      const [grantee = ''] = request.grantees;
      const { manifest } = treeHead(institution, 1);
      const first = { consent: request.consent, grantee, sequence: 1, previous: NO_RELEASE, manifest };
      const record = (release: object) => call('release', 'record', release);

      await refused(ledger, record({ ...first, grantee: opaqueKey() }), 'release-not-consented');
      await refused(ledger, record({ ...first, consent: opaqueKey() }), 'release-not-consented');
      await refused(ledger, record({ ...first, previous: opaqueKey() }), 'release-chain');
      await refused(ledger, record({ ...first, sequence: 2 }), 'release-sequence');
      await run(ledger, record(first));
      await refused(ledger, record(first), 'release-sequence');

      const recorded = await ask(ledger, call('release', 'read', request.consent, grantee, '1'));
      const second = { ...first, sequence: 2, previous: releaseHash(recorded) };
      await refused(ledger, record({ ...second, previous: NO_RELEASE }), 'release-chain');
      const racing = await ledger.prepare(record({ ...second }));
      await run(ledger, call('consent', 'record', { ...request, version: 2, status: 'withdrawn' }));
      assert.equal((await ledger.submit(racing.bytes)).status, 'MVCC_READ_CONFLICT');
      await refused(ledger, record(second), 'release-not-consented');

      const { items } = await ask(ledger, call('release', 'list', request.consent, grantee, '10', ''));
      assert.deepEqual(items, [recorded]);
    });

    it('do not release outside the period of the consent', async () => {
      const institution = await startedLog(ledger);
      const hour = (offset: number) => new Date(Date.now() + offset * 3_600_000).toISOString();
      for (const period of [
        { start: hour(1), end: null },
        { start: hour(-2), end: hour(-1) },
      ]) {
        const request = { ...consentRequest(institution), ...period };
        await run(ledger, call('consent', 'record', request));
        const { consent, grantees } = request;
        const { manifest } = treeHead(institution, 1);
        const release = { consent, grantee: grantees[0] ?? '', sequence: 1, previous: NO_RELEASE, manifest };
        await refused(ledger, call('release', 'record', release), 'release-not-consented');
      }
    });
  });
}
