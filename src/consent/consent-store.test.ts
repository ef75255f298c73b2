import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { institutionsNamed } from '../../conformance/support/consent-fixtures.ts';
import { createNames } from '../repository/names.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import { createIdentities } from '../sealing/identity.ts';
import { consentNames, createConsentStore } from './consent-store.ts';

const names = createNames({
  institutions: institutionsNamed('a', 'b'),
  identities: createIdentities(Buffer.alloc(32, 5)),
  publicUrl: 'https://node',
});
const CONSENT = JSON.stringify({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  patient: { reference: 'Patient/anna' },
  provision: { type: 'deny' },
});
const DAMAGED = { code: 'sealed-content-damaged' };

/** Consents as they are stored, by version row; what was loaded is taken down. */
function storeOf(contents: Readonly<Record<string, string | undefined>>) {
  const loaded: bigint[] = [];
  const loader = {
    versions: async (ids: readonly bigint[]) => {
      loaded.push(...ids);
      return ids.flatMap((id) => (`${id}` in contents ? [{ versionId: id, version: Number(id) + 1 }] : []));
    },
  } as unknown as VersionLoader;
  const opener = {
    open: async ({ versionId }: { versionId: bigint }) => {
      const content = contents[`${versionId}`];
      return { content: content && Buffer.from(content), id: `c${versionId}`, institution: 'a' };
    },
  } as unknown as RecordOpener;
  return { store: createConsentStore(loader, opener, names), loaded };
}

describe('the consents that hold', () => {
  test('are opened once, and known by their version', async () => {
    const { store, loaded } = storeOf({ 1: CONSENT, 2: CONSENT });
    const [first, second] = await store.load([1n, 2n]);
    assert.partialDeepStrictEqual(first, {
      consent: 'a/Consent/c1',
      version: 2,
      versionId: 1n,
      patient: 'a/Patient/anna',
    });
    assert.partialDeepStrictEqual(second, { consent: 'a/Consent/c2', versionId: 2n, base: 'deny', inForce: true });
    assert.deepEqual(await store.load([2n]), [second]);
    assert.deepEqual(loaded, [1n, 2n]);
    assert.deepEqual(await store.load([]), []);
    assert.deepEqual(loaded, [1n, 2n], 'nothing is asked of nothing');
  });

  test('are all there: one that is gone could be the one that denies', async () => {
    const { store } = storeOf({ 1: CONSENT, 3: undefined });
    await assert.rejects(store.load([1n, 2n]), DAMAGED);
    await assert.rejects(store.load([1n, 3n]), DAMAGED);
    assert.equal((await store.load([1n])).length, 1);
  });
});

describe('what a Consent names', () => {
  const { self, version, resolve, isResourceType, isOwn } = consentNames(names, 'a', 'c', 7);

  test('is of its own base unless it says otherwise', () => {
    assert.deepEqual([self, version], ['a/Consent/c', 7]);
    assert.equal(resolve('Patient/anna'), 'a/Patient/anna');
    assert.equal(resolve('https://node/b/fhir/Patient/anna'), 'b/Patient/anna');
    assert.equal(resolve('Organization/b'), 'b/Organization/b');
    assert.equal(resolve('https://elsewhere/fhir/Patient/anna'), undefined);
    assert.equal(resolve('Patient?name=x'), undefined);
    assert.equal(resolve('not a reference'), undefined);
  });

  test('is its own, or another’s', () => {
    assert.deepEqual([isOwn('a/Patient/x'), isOwn('b/Patient/x'), isOwn('ab/Patient/x')], [true, false, false]);
    assert.deepEqual([isResourceType('Observation'), isResourceType('Nonsense')], [true, false]);
  });
});
