import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createValidator } from '../fhir/validation/validate.ts';
import type { Principal } from '../request-context.ts';
import { type ProvenanceTarget, provenanceOf } from './provenance.ts';
import { PROVENANCE_PATIENT } from './record-facts.ts';

const RECORDED = '2024-06-15T12:00:00.000Z';
const system: Principal = { clientId: 'his', institution: 'a', scopes: [], purposes: [], administrator: false };
const created: ProvenanceTarget = { interaction: 'create', type: 'Observation', id: 'o', version: 1 };
const updated: ProvenanceTarget = { interaction: 'update', type: 'Condition', id: 'c', version: 4 };
const person = (type: string) => ({ institution: 'a', type, id: 'x' });

describe('a Provenance', () => {
  test('says what was written, when, by whom, on whose behalf, for which patient', () => {
    assert.deepEqual(provenanceOf('id', 'p', [created], system, RECORDED), {
      resourceType: 'Provenance',
      id: 'id',
      extension: [{ url: PROVENANCE_PATIENT, valueReference: { reference: 'Patient/p' } }],
      target: [{ reference: 'Observation/o/_history/1' }],
      recorded: RECORDED,
      activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: 'CREATE' }] },
      agent: [
        {
          type: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' }],
          },
          who: { type: 'Device', identifier: { system: 'urn:ietf:rfc:6749:client_id', value: 'his' } },
          onBehalfOf: { reference: 'Organization/a' },
        },
      ],
    });
  });

  test('names the exact versions of all targets, and no one activity for several', () => {
    const { target, activity } = provenanceOf('id', 'p', [created, updated], system, RECORDED);
    assert.deepEqual(
      target.map(({ reference }) => reference),
      ['Observation/o/_history/1', 'Condition/c/_history/4'],
    );
    assert.equal(activity, undefined);
  });

  test('of what belongs to nobody names no patient', () =>
    assert.equal(provenanceOf('id', undefined, [created], system, RECORDED).extension, undefined));

  for (const [why, principal, who] of [
    ['the user', { ...system, user: person('Practitioner') }, 'Practitioner/x'],
    ['the patient', { ...system, patient: person('Patient') }, 'Patient/x'],
    [
      'the user for the patient',
      { ...system, user: person('RelatedPerson'), patient: person('Patient') },
      'RelatedPerson/x',
    ],
  ] as const) {
    test(`is by ${why}`, () =>
      assert.equal(provenanceOf('id', 'p', [created], principal, RECORDED).agent[0]?.who.reference, who));
  }

  test('is valid', () => {
    const { validate } = createValidator();
    assert.deepEqual(validate(provenanceOf('id', 'p', [created, updated], system, RECORDED)), []);
  });
});
