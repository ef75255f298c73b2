import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hl7Examples } from '../../../conformance/support/sample-data.ts';
import { createSearchRegistry } from '../../fhir/search/registry.ts';
import type { SearchValue } from '../../fhir/search/values.ts';
import { createSources } from './sources.ts';

describe('parameters that others answer', () => {
  const sourcesOf = createSources();
  for (const [base, code, expected] of [
    ['Observation', 'code', [{ code: 'code' }]],
    ['Observation', 'combo-code', [{ code: 'code' }, { code: 'component-code' }]],
    // Each of the two has two parts itself: quantities and sampled data.
    ['Observation', 'combo-value-quantity', [{ code: 'component-value-quantity' }, { code: 'value-quantity' }]],
    ['Observation', 'value-quantity', [{ code: 'value-quantity' }]],
    ['Observation', 'patient', [{ code: 'subject', target: 'Patient' }]],
    ['Observation', 'code-value-quantity', [{ code: 'code-value-quantity' }]],
    ['Patient', 'family', [{ code: 'family' }]],
    ['Patient', 'phonetic', [{ code: 'name' }]],
  ] as const) {
    test(`${base}.${code}`, () => assert.deepEqual(sourcesOf({ base, code }), expected));
  }

  test("in HL7's examples the sources find what the parameter does", () => {
    const registry = createSearchRegistry();
    let compared = 0;
    for (const { bytes } of hl7Examples()) {
      const resource = JSON.parse(Buffer.from(bytes).toString('utf8')) as { resourceType: string };
      const parameters = registry.searchParametersOf(resource.resourceType);
      for (const parameter of parameters.values()) {
        const sources = sourcesOf(parameter);
        // Those that are narrowed to a type are asked for that type's ids only.
        if (sources[0]?.code === parameter.code || sources.some(({ target }) => target !== undefined)) continue;
        const own = new Set(parameter.values(resource).map(textOf));
        const found = new Set(sources.flatMap(({ code }) => parameters.get(code)?.values(resource) ?? []).map(textOf));
        assert.deepEqual(found, own, `${parameter.base}.${parameter.code}`);
        compared += own.size;
      }
    }
    assert.ok(compared > 1000, String(compared));
  });

  test('no parameter is its own detour', () => {
    for (const base of ['Patient', 'Observation', 'Encounter', 'MedicationRequest']) {
      for (const code of ['code', 'date', 'patient', 'subject', 'name', 'identifier', 'value-quantity', 'status']) {
        for (const source of sourcesOf({ base, code })) {
          assert.equal(sourcesOf({ base, code: source.code })[0]?.code, source.code, `${base}.${code}`);
        }
      }
    }
  });
});

function textOf(value: SearchValue): string {
  return JSON.stringify(value);
}
