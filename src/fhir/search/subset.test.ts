import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hl7Examples } from '../../../conformance/support/sample-data.ts';
import { typeDefinition } from '../definitions/definitions.ts';
import { parseJson } from '../json/parse.ts';
import { subsetOf } from './subset.ts';

const PATIENT = {
  resourceType: 'Patient',
  id: 'a',
  meta: { versionId: '1', tag: [{ code: 'mine' }] },
  text: { status: 'generated', div: '<div/>' },
  contained: [{ resourceType: 'Organization', id: 'o' }],
  active: true,
  name: [{ family: 'A', extension: [{ url: 'x', valueString: 'y' }] }],
  birthDate: '1990',
  _birthDate: { extension: [{ url: 'x', valueString: 'y' }] },
  photo: [{ contentType: 'image/png', data: 'AAAA' }],
  communication: [{ language: { text: 'x' } }],
};
const TAGS = [
  { code: 'mine' },
  { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' },
];

const keys = (resource: object) => Object.keys(resource).sort();

describe('parts of a resource', () => {
  for (const form of ['true', 'text', 'data'] as const) {
    test(`_summary=${form} keeps id and meta, tagged as a part`, () => {
      const part = subsetOf(PATIENT, { kind: 'summary', form });
      assert.deepEqual([part.resourceType, part.id, part.meta], ['Patient', 'a', { versionId: '1', tag: TAGS }]);
    });
  }

  test('_summary=true is what the definitions mark, in depth', () => {
    const part = subsetOf(PATIENT, { kind: 'summary', form: 'true' });
    assert.deepEqual(keys(part), ['_birthDate', 'active', 'birthDate', 'id', 'meta', 'name', 'resourceType']);
    assert.deepEqual(part.name, [{ family: 'A' }]);
  });

  test('_summary=text is the narrative and what is mandatory', () => {
    const observation = { resourceType: 'Observation', id: 'o', text: {}, status: 'final', code: {}, subject: {} };
    assert.deepEqual(keys(subsetOf(observation, { kind: 'summary', form: 'text' })), [
      'code',
      'id',
      'meta',
      'resourceType',
      'status',
      'text',
    ]);
  });

  test('_summary=data is all but the narrative', () => {
    const part = subsetOf(PATIENT, { kind: 'summary', form: 'data' });
    assert.deepEqual(
      keys(part),
      keys(PATIENT).filter((name) => name !== 'text'),
    );
  });

  test('_elements is what is named, by its choice of type too, with what is mandatory or modifies', () => {
    const names = ['name', 'Patient.birthDate', 'photo.title', 'multipleBirth'];
    const part = subsetOf({ ...PATIENT, multipleBirthInteger: 2 }, { kind: 'elements', names });
    assert.deepEqual(keys(part), [
      '_birthDate',
      'active',
      'birthDate',
      'id',
      'meta',
      'multipleBirthInteger',
      'name',
      'photo',
      'resourceType',
    ]);
    assert.deepEqual(part.photo, PATIENT.photo);
  });

  test("of each of HL7's examples: a summary holds nothing that is not in the resource, and every marked element", () => {
    let seen = 0;
    for (const { bytes } of hl7Examples()) {
      const resource = parseJson(bytes) as Record<string, unknown> & { resourceType: string };
      const part = subsetOf(resource, { kind: 'summary', form: 'true' });
      const elements = typeDefinition(resource.resourceType)?.elements ?? new Map();
      for (const [name, element] of elements) {
        if (element.summary && name in resource) assert.ok(name in part, `${resource.resourceType}.${name}`);
      }
      assert.ok(keys(part).every((name) => name === 'meta' || name in resource));
      seen += 1;
    }
    assert.ok(seen > 200, String(seen));
  });
});
