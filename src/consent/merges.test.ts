import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Patient } from '@medplum/fhirtypes';
import { institutionsNamed, policy } from '../../conformance/support/consent-fixtures.ts';
import { createNames } from '../repository/names.ts';
import { createIdentities } from '../sealing/identity.ts';
import { UNKNOWN_PATIENT } from './facts.ts';
import { mergedPolicies, mergeLinks } from './merges.ts';

const names = createNames({
  institutions: institutionsNamed('a', 'b'),
  identities: createIdentities(Buffer.alloc(32, 5)),
  publicUrl: 'https://node',
});
const [OLD, NEW, THIRD] = ['a/Patient/old', 'a/Patient/new', 'a/Patient/third'] as const;

describe('whom a Patient is merged with', () => {
  const linked = (...links: readonly [type: string, reference: string | undefined][]) =>
    mergeLinks(
      {
        resourceType: 'Patient',
        id: 'old',
        link: links.map(([type, reference]) => ({ type, other: reference === undefined ? {} : { reference } })),
      } as Patient,
      'a',
      names,
    );

  test('is who replaces it or is replaced by it, each once', () => {
    const absolute = 'https://node/a/fhir/Patient/third';
    assert.deepEqual(
      linked(['replaced-by', 'Patient/new'], ['replaces', absolute], ['replaces', 'Patient/third/_history/2']),
      [NEW, THIRD],
    );
  });

  test('is nobody who is only mentioned', () => {
    assert.deepEqual(linked(['seealso', 'Patient/new'], ['refer', 'Patient/new']), []);
  });

  test('is not itself, nobody of another base, no RelatedPerson, and nobody who is not told', () => {
    const others = ['Patient/old', 'https://node/b/fhir/Patient/new', 'https://else/fhir/Patient/new', undefined];
    for (const other of [...others, 'RelatedPerson/new', 'Patient?identifier=x', '#inside']) {
      assert.deepEqual(linked(['replaced-by', other]), [], other);
    }
  });

  test('is told by Patients alone', () => {
    assert.deepEqual(mergeLinks({ resourceType: 'Person', link: [] }, 'a', names), []);
    assert.deepEqual(mergeLinks({ resourceType: 'Patient' }, 'a', names), []);
  });
});

describe('the consents of merged patients', () => {
  const stored = (patient: string, versionId: bigint) => ({ ...policy({ patient, base: 'permit' }), versionId });
  const merge = (one: string, other: string, since: number) => `${names.idToken(one)} ${names.idToken(other)} ${since}`;
  const heard = (
    policies: Parameters<typeof mergedPolicies>[0],
    merges: readonly string[],
    patients: readonly string[],
  ) => mergedPolicies(policies, merges, patients, names).map(({ patient, suspended }) => [patient, suspended]);

  test('are as they are where nobody is merged', () => {
    const policies = [stored(OLD, 1n), stored(NEW, 2n)];
    assert.deepEqual(mergedPolicies(policies, [], [OLD], names), policies);
  });

  test('hold for each of them, and wait when they are from before the newest link', () => {
    const both = [OLD, NEW].flatMap((one) => [OLD, NEW].map((other) => merge(one, other, 10)));
    assert.deepEqual(heard([stored(OLD, 9n), stored(NEW, 10n), stored(NEW, 11n)], both, [OLD]), [
      [OLD, true],
      [OLD, false],
      [OLD, false],
    ]);
    assert.deepEqual(heard([stored(OLD, 9n)], both, [OLD, NEW]), [
      [OLD, true],
      [NEW, true],
    ]);
  });

  test('are nobody’s else, also of a record that others share', () => {
    const both = [OLD, NEW].map((other) => merge(OLD, other, 10));
    assert.deepEqual(heard([stored(NEW, 9n), stored(THIRD, 9n)], both, [OLD, THIRD, UNKNOWN_PATIENT]), [
      [OLD, true],
      [THIRD, undefined],
    ]);
    const nobody = { ...policy({ base: 'permit' }), patient: undefined, versionId: 1n };
    assert.deepEqual(heard([nobody], both, [OLD]), []);
  });
});
