import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Resource } from '@medplum/fhirtypes';
import { institutionsNamed } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createNames } from '../repository/names.ts';
import { createIdentities } from '../sealing/identity.ts';
import { type RecordFacts, UNKNOWN_PATIENT } from './facts.ts';
import { createFactsReader, PROVENANCE_PATIENT } from './record-facts.ts';

const names = createNames({
  institutions: institutionsNamed('a', 'b'),
  identities: createIdentities(Buffer.alloc(32)),
  publicUrl: 'https://node',
});
const facts = createFactsReader(createSearchRegistry(), names);

function read(resource: object): RecordFacts {
  return facts.read({ id: 'r', ...resource } as Resource, 'a');
}

const observation = (more: object = {}) => ({ resourceType: 'Observation', ...more });
const ref = (reference: string) => ({ reference });
const coding = (system: string | undefined, code: string) => ({ system, code });

describe('whose a record is', () => {
  for (const [why, resource, patients] of [
    ['its subject’s', observation({ subject: ref('Patient/p') }), ['a/Patient/p']],
    [
      'every patient’s in whose compartment it lies',
      observation({ subject: ref('Patient/p'), performer: [ref('Patient/q')] }),
      ['a/Patient/p', 'a/Patient/q'],
    ],
    ['by an absolute reference', observation({ subject: ref('https://node/a/fhir/Patient/p') }), ['a/Patient/p']],
    [
      'a patient of another base cannot speak here',
      observation({ subject: ref('https://node/b/fhir/Patient/p') }),
      [UNKNOWN_PATIENT],
    ],
    ['nor one of another server', observation({ subject: ref('https://elsewhere/fhir/Patient/p') }), [UNKNOWN_PATIENT]],
    ['one without a reference cannot be told', observation({ subject: { display: 'somebody' } }), [UNKNOWN_PATIENT]],
    ['nobody’s', { resourceType: 'Organization' }, []],
    [
      'what is contained counts',
      { resourceType: 'Medication', contained: [observation({ subject: ref('Patient/p') })] },
      ['a/Patient/p'],
    ],
    [
      'a Provenance says whose in an extension',
      {
        resourceType: 'Provenance',
        target: [ref('Observation/1')],
        extension: [{ url: PROVENANCE_PATIENT, valueReference: ref('Patient/p') }],
      },
      ['a/Patient/p'],
    ],
    [
      'and must say it in full',
      {
        resourceType: 'Provenance',
        target: [],
        extension: [{ url: PROVENANCE_PATIENT, valueReference: { display: 'p' } }],
      },
      [UNKNOWN_PATIENT],
    ],
    [
      'another extension says nothing',
      {
        resourceType: 'Provenance',
        target: [ref('Observation/1')],
        extension: [{ url: 'http://x', valueReference: ref('Patient/p') }],
      },
      [],
    ],
    [
      'the extension of another type says nothing',
      { resourceType: 'Organization', extension: [{ url: PROVENANCE_PATIENT, valueReference: ref('Patient/p') }] },
      [],
    ],
  ] as const) {
    test(why, () => assert.deepEqual([...read(resource).patients].sort(), patients));
  }
});

describe('types, names and profiles', () => {
  const bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    meta: { profile: ['http://x/b'] },
    entry: [{ resource: observation({ id: 'o', meta: { profile: ['http://x/o|1'] } }) }],
  };
  test('of a Bundle are its own for certain, and possibly its entries’', () => {
    const { types, names: told, profiles } = read(bundle);
    assert.deepEqual(types, { certain: ['Bundle'], possible: ['Bundle', 'Observation'], open: false });
    assert.deepEqual(told, { certain: ['a/Bundle/r'], possible: ['a/Bundle/r', 'a/Observation/o'], open: false });
    assert.deepEqual(profiles, { certain: ['http://x/b'], possible: ['http://x/b', 'http://x/o'], open: false });
  });
  test('of contained resources and those in Parameters too', () => {
    const parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'x', part: [{ name: 'y', resource: bundle }] }],
    };
    assert.deepEqual(read(parameters).types.possible, ['Parameters', 'Bundle', 'Observation']);
    assert.deepEqual(read(observation({ contained: [{ resourceType: 'Patient', id: 'c' }] })).types.possible, [
      'Observation',
      'Patient',
    ]);
  });
  test('a record that claims no profile could be of any', () =>
    assert.deepEqual(read(observation()).profiles, { certain: [], possible: [], open: true }));
});

describe('labels', () => {
  const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
  const labelled = (...security: readonly object[]) => ({ meta: { security } });
  test('of the record and of what is in it', () => {
    const { confidentiality, tags } = read({
      resourceType: 'Bundle',
      ...labelled(coding(CONFIDENTIALITY, 'N')),
      entry: [{ resource: observation(labelled(coding(CONFIDENTIALITY, 'V'), coding('urn:x', 'PSY'))) }],
    });
    assert.deepEqual(confidentiality.certain, [coding(CONFIDENTIALITY, 'V')]);
    assert.deepEqual(tags, { certain: [], possible: [coding('urn:x', 'PSY')], open: false });
  });
  test('a label without a code is none', () =>
    assert.equal(read(observation(labelled({ system: CONFIDENTIALITY }))).tags.open, true));
});

describe('codes', () => {
  for (const [why, resource, certain, mentioned, open] of [
    ['what an Observation is of', observation({ code: { coding: [coding('urn:x', '1')] } }), ['1'], ['1'], false],
    [
      'what else it mentions',
      observation({
        code: { coding: [coding('urn:x', '1')] },
        valueCodeableConcept: { coding: [coding('urn:x', '2')] },
      }),
      ['1'],
      ['1', '2'],
      false,
    ],
    [
      'in words alone',
      observation({ code: { text: 'x' }, category: [{ coding: [coding('urn:x', '2')] }] }),
      [],
      ['2'],
      true,
    ],
    ['without a system', observation({ code: { coding: [coding(undefined, '1')] } }), [], ['1'], true],
    [
      'the vaccine',
      { resourceType: 'Immunization', vaccineCode: { coding: [coding('urn:x', '1')] } },
      ['1'],
      ['1'],
      false,
    ],
    [
      'the kind of document',
      { resourceType: 'DocumentReference', type: { coding: [coding('urn:x', '1')] } },
      ['1'],
      ['1'],
      false,
    ],
    [
      'in a contained resource',
      observation({
        code: { coding: [coding('urn:x', '1')] },
        contained: [{ resourceType: 'Medication', code: { coding: [coding('urn:x', '2')] } }],
      }),
      ['1'],
      ['1', '2'],
      false,
    ],
    [
      'a type that is about nothing never tells it, whatever it mentions',
      { resourceType: 'Patient', maritalStatus: { coding: [coding('urn:x', 'M')] } },
      [],
      ['M'],
      true,
    ],
    ['whether it mentions anything or not', { resourceType: 'Patient' }, [], [], true],
    [
      'a unit is no code',
      observation({
        code: { coding: [coding('urn:x', '1')] },
        valueQuantity: { value: 1, system: 'urn:u', code: 'kg' },
      }),
      ['1'],
      ['1'],
      false,
    ],
    [
      'labels and tags are no codes',
      observation({
        code: { coding: [coding('urn:x', '1')] },
        meta: { security: [coding('urn:x', '2')], tag: [coding('urn:x', '3')] },
      }),
      ['1'],
      ['1'],
      false,
    ],
  ] as const) {
    test(why, () => {
      const told = read(resource).codes;
      assert.deepEqual(
        told.certain.map(({ code }) => code),
        certain,
      );
      assert.deepEqual([...new Set(told.possible.map(({ code }) => code))], mentioned);
      assert.equal(told.open, open);
    });
  }
});

describe('dates', () => {
  for (const [why, resource, from, until] of [
    ['a day', observation({ effectiveDateTime: '2020-02-03' }), Date.UTC(2020, 1, 3), Date.UTC(2020, 1, 4)],
    ['a period', observation({ effectivePeriod: { start: '2020', end: '2021' } }), Date.UTC(2020), Date.UTC(2022)],
    ['an open period', observation({ effectivePeriod: { start: '2020' } }), Date.UTC(2020), Number.POSITIVE_INFINITY],
    [
      'the outer limits of several',
      {
        resourceType: 'MedicationRequest',
        dosageInstruction: [{ timing: { event: ['2020', '2023'] } }, { timing: { event: ['2018'] } }],
      },
      Date.UTC(2018),
      Date.UTC(2024),
    ],
  ] as const) {
    test(why, () => assert.deepEqual(read(resource).dates, { from, until }));
  }
  test('none where the type has none, or the record', () => {
    assert.equal(read({ resourceType: 'Condition', recordedDate: '2020' }).dates, undefined);
    assert.equal(read(observation()).dates, undefined);
  });
});

describe('authors', () => {
  const none = { certain: [], possible: [], open: true };
  const all = (...list: readonly string[]) => ({ certain: list, possible: list, open: false });
  for (const [why, resource, expected] of [
    ['who performed an observation', observation({ performer: [ref('Practitioner/d')] }), all('a/Practitioner/d')],
    ['an institution under its own name', observation({ performer: [ref('Organization/b')] }), all('b/Organization/b')],
    ['nobody', observation(), none],
    ['someone by name only', observation({ performer: [{ display: 'Dr. D' }] }), none],
    [
      'someone known and someone by identifier',
      observation({ performer: [ref('Practitioner/d'), { identifier: { value: '1' } }] }),
      { ...all('a/Practitioner/d'), open: true },
    ],
    [
      'who requested, not who shall do it',
      { resourceType: 'ServiceRequest', requester: ref('Practitioner/d'), performer: [ref('Practitioner/e')] },
      all('a/Practitioner/d'),
    ],
    [
      'who asserted and who recorded',
      { resourceType: 'Condition', asserter: ref('Practitioner/d'), recorder: ref('Practitioner/e') },
      all('a/Practitioner/d'),
    ],
    [
      'the author of a document',
      { resourceType: 'DocumentReference', author: [ref('Practitioner/d')] },
      all('a/Practitioner/d'),
    ],
    [
      'the sender of a message',
      { resourceType: 'Communication', sender: ref('Practitioner/d'), recipient: [ref('Practitioner/e')] },
      all('a/Practitioner/d'),
    ],
  ] as const) {
    test(why, () => assert.deepEqual(read(resource).authors, expected));
  }
});
