import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
