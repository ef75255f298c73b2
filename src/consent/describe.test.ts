import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Resource } from '@medplum/fhirtypes';
import { institutionsNamed } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createNames } from '../repository/names.ts';
import { UNKNOWN_SUBJECT } from '../repository/write.ts';
import { createSources } from '../sealing/blind-index/sources.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities, deriveKey, selfToken } from '../sealing/identity.ts';
import { createDescriber } from './describe.ts';
import { custodianReader, directoryReader, facetToken, permitReaders } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);
const names = createNames({
  institutions: institutionsNamed('a'),
  identities: createIdentities(SECRET),
  publicUrl: 'https://node',
});
const tokenizer = createTokenizer(SECRET);
const registry = createSearchRegistry();
const describer = createDescriber({
  registry,
  registryOf: () => registry,
  names,
  facts: createFactsReader(registry, names),
  tokenizer,
  sourcesOf: createSources(),
  contentKey: deriveKey(SECRET, 'content'),
});
const patient = names.idToken('a/Patient/p');
const own = (idToken: string) => selfToken(idToken).toString();

function describeOf(resource: object) {
  return describer.describe({ id: 'r', ...resource } as Resource, 'a', 2);
}

describe('a description', () => {
  test('of a patient’s record: the custodian and the patient may read it', () => {
    const { patients, patientNames, readers, facets, consent } = describeOf({
      resourceType: 'Observation',
      subject: { reference: 'Patient/p' },
    });
    assert.deepEqual(patientNames, ['a/Patient/p']);
    assert.deepEqual(patients, [patient]);
    assert.deepEqual(readers, [custodianReader(tokenizer, 'a'), own(patient)]);
    assert.ok(facets.includes(facetToken(tokenizer, 'is type Observation')));
    assert.equal(consent, undefined);
  });

  test('of a record whose patient cannot be determined: the custodian alone', () => {
    const { patients, readers, facets } = describeOf({ resourceType: 'Observation', subject: { display: 'somebody' } });
    assert.deepEqual(patients, [UNKNOWN_SUBJECT]);
    assert.deepEqual(readers, [custodianReader(tokenizer, 'a')]);
    assert.deepEqual(facets, []);
  });

  test('of a Patient: whom it is merged with, which no other resource tells', () => {
    const link = [{ other: { reference: 'Patient/p' }, type: 'replaces' }];
    assert.deepEqual(describeOf({ resourceType: 'Patient', link }).merges, [patient]);
    assert.deepEqual(describeOf({ resourceType: 'Patient' }).merges, []);
    assert.equal(describeOf({ resourceType: 'Person', link }).merges, undefined);
  });

  test('of the directory: everyone, unless it holds something of a patient', () => {
    const medication = { resourceType: 'Medication' };
    assert.deepEqual(describeOf(medication).readers, [custodianReader(tokenizer, 'a'), directoryReader(tokenizer)]);
    const contained = [{ resourceType: 'Observation', subject: { reference: 'Patient/p' } }];
    assert.deepEqual(describeOf({ ...medication, contained }).readers, [custodianReader(tokenizer, 'a'), own(patient)]);
  });

  test('of another type of nobody’s: the custodian', () =>
    assert.deepEqual(describeOf({ resourceType: 'Group' }).readers, [custodianReader(tokenizer, 'a')]));

  test('holds patients in order, whatever order they are named in', () => {
    const list = (...ids: readonly string[]) => ({
      resourceType: 'List',
      entry: ids.map((id) => ({ item: { reference: `Patient/${id}` } })),
    });
    assert.deepEqual(describeOf(list('p', 'q', 's')).patients, describeOf(list('s', 'q', 'p')).patients);
  });
});

describe('the rules of a Consent', () => {
  const consent = (more: object) => ({
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] },
    category: [],
    patient: { reference: 'Patient/p' },
    ...more,
  });
  const purpose = [{ code: 'HRESCH' }, { code: 'TREAT' }];

  test('are tokens, with their times and readers', () => {
    const provision = { type: 'permit', period: { end: '2024' }, purpose, dataPeriod: { start: '2020' } };
    const change = describeOf(consent({ provision })).consent;
    assert.equal(change?.patient, patient);
    assert.equal(change.present, true);
    const [rule, ...others] = change.rules;
    assert.deepEqual(others, []);
    assert.equal(rule?.from, '-infinity');
    assert.equal(rule.until, '2025-01-01T00:00:00.000Z');
    assert.deepEqual(rule.conditions[0], [
      facetToken(tokenizer, 'purpose HRESCH'),
      facetToken(tokenizer, 'purpose TREAT'),
    ]);
    assert.equal(rule.conditions.length, 2);
    assert.deepEqual(rule.readers, permitReaders(tokenizer, undefined, ['HRESCH', 'TREAT']));
  });

  test('end with the last year that FHIR can write', () =>
    assert.equal(
      describeOf(consent({ provision: { type: 'deny', period: { start: '0001', end: '9999' } } })).consent?.rules[0]
        ?.until,
      'infinity',
    ));

  test('are none while it is not in force', () => {
    const change = describeOf(consent({ status: 'draft', provision: { type: 'permit' } })).consent;
    const { entry, ...rest } = change ?? {};
    assert.deepEqual(rest, { patient, present: true, rules: [] });
    assert.equal(entry?.active, false);
  });

  test('touch nobody when it names no patient of its base', () =>
    assert.equal(
      describeOf(consent({ status: 'draft', patient: { reference: 'https://node/b/fhir/Patient/p' } })).consent
        ?.patient,
      undefined,
    ));

  test('that cannot be enforced refuse the whole', () =>
    assert.throws(() => describeOf(consent({ provision: {} })), { code: 'unenforceable-consent' }));
});

test('a content token tells equal content of the same resource', () => {
  const token = describer.contentToken(patient, '{}');
  assert.match(token, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(describer.contentToken(patient, '{}'), token);
  assert.notEqual(describer.contentToken(patient, '{ }'), token);
  assert.notEqual(describer.contentToken(names.idToken('a/Patient/q'), '{}'), token);
});
