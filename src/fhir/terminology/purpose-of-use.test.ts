import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CodeSystemConcept } from '@medplum/fhirtypes';
import { hl7Example } from '../../../conformance/support/sample-data.ts';
import { isTreatment, PURPOSE_SYSTEM, PURPOSES_OF_USE, purposeAndAncestors } from './purpose-of-use.ts';

/** Every concept with the codes above it, nearest first, in HL7's publication of v3-ActReason. */
function published(): ReadonlyMap<string, readonly string[]> {
  const system = JSON.parse(Buffer.from(hl7Example('CodeSystem-v3-ActReason.json').bytes).toString('utf8'));
  assert.equal(system.url, PURPOSE_SYSTEM);
  assert.equal(system.hierarchyMeaning, 'is-a');
  const lines = new Map<string, readonly string[]>();
  const visit = (concepts: readonly CodeSystemConcept[] = [], above: readonly string[] = []): void => {
    for (const { code = '', concept } of concepts) {
      assert.ok(!lines.has(code), `${code} has two places`);
      lines.set(code, [code, ...above]);
      visit(concept, [code, ...above]);
    }
  };
  visit(system.concept);
  return lines;
}

describe('purposes of use', () => {
  const lines = published();
  const below = [...lines].filter(([code, line]) => code !== 'PurposeOfUse' && line.includes('PurposeOfUse'));

  test("are exactly the codes of HL7's code system below PurposeOfUse", () => {
    assert.deepEqual([...PURPOSES_OF_USE].sort(), below.map(([code]) => code).sort());
  });

  test('stand where the code system has them', () => {
    for (const [code, line] of below) {
      assert.deepEqual(purposeAndAncestors(code), line.slice(0, line.indexOf('PurposeOfUse') + 1), code);
    }
    assert.deepEqual(purposeAndAncestors('PurposeOfUse'), ['PurposeOfUse']);
  });

  test('another code stands alone', () => assert.deepEqual(purposeAndAncestors('treat'), ['treat']));

  for (const [purposes, treatment] of [
    [['TREAT'], true],
    [['BTG'], true],
    [['HRESCH', 'COC'], true],
    [['HRESCH'], false],
    [['PurposeOfUse'], false],
    [[], false],
  ] as const) {
    test(`[${purposes}] ${treatment ? 'is' : 'is not'} treatment`, () =>
      assert.equal(isTreatment(purposes), treatment));
  }
});
