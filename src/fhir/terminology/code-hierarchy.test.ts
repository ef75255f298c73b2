import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeAndAncestors } from './code-hierarchy.ts';

const V3 = 'http://terminology.hl7.org/CodeSystem/v3-';

describe('a code and what it is a kind of', () => {
  for (const [system, code, expected] of [
    ['http://hl7.org/fhir/sid/icd-10', 'E11.65', ['E11.65', 'E11.6', 'E11']],
    ['http://hl7.org/fhir/sid/icd-10', 'E11', ['E11']],
    ['http://hl7.org/fhir/sid/icd-10-cm', 'S72001A', ['S72001A', 'S72001', 'S7200', 'S720', 'S72']],
    ['http://hl7.org/fhir/sid/icd-10', 'not a code', ['not a code']],
    ['http://www.whocc.no/atc', 'A10BA02', ['A10BA02', 'A10BA', 'A10B', 'A10', 'A']],
    ['http://www.whocc.no/atc', 'A10BA0', ['A10BA0']],
    ['http://loinc.org', '718-7', ['718-7']],
    ['http://snomed.info/sct', '73211009', ['73211009']],
    [`${V3}ActCode`, 'AMB', ['AMB', '_ActEncounterCode', '_ActCareProvisionCode']],
    [`${V3}ActCode`, '_ActEncounterCode', ['_ActEncounterCode', '_ActCareProvisionCode']],
    [`${V3}ActCode`, 'constructor', ['constructor']],
    [`${V3}RoleCode`, 'MTH', ['MTH', 'PRN', 'FAMMEMB', '_PersonalRelationshipRoleType']],
  ] as const) {
    test(`${system} ${code}`, () => assert.deepEqual(codeAndAncestors(system, code).toSorted(), expected.toSorted()));
  }
});
