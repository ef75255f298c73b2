import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseSearch } from '../query.ts';
import { createSearchRegistry } from '../registry.ts';
import { extendRegistry } from './registry.ts';

const base = createSearchRegistry();
const definition = (code: string, expression: string) => ({
  url: `https://example.org/${code}`,
  code,
  type: 'token' as const,
  base: ['Patient'],
  expression,
});
const MARITAL = { definition: definition('marital-status', 'Patient.maritalStatus'), searchable: true };
const KIN = {
  definition: { ...definition('kin', 'Patient.contact.organization'), type: 'reference' as const },
  searchable: false,
};
const { indexed, searched } = extendRegistry(base, 'a', [MARITAL, KIN]);
const OPTIONS = { handling: 'strict', now: 0 } as const;

describe('a registry with an institution’s own parameters', () => {
  test('has R4’s beside them, and leaves other types alone', () => {
    assert.equal(indexed.searchParametersOf('Patient').size, base.searchParametersOf('Patient').size + 2);
    assert.equal(indexed.searchParametersOf('Observation'), base.searchParametersOf('Observation'));
    assert.equal(base.searchParametersOf('Patient').has('kin'), false);
  });

  test('indexes by all, and searches by those that all records are indexed by', () => {
    const resource = {
      resourceType: 'Patient',
      maritalStatus: { coding: [{ code: 'M' }] },
      contact: [{ organization: { reference: 'Organization/o' } }],
    };
    const found = indexed
      .searchValuesOf(resource)
      .flatMap(({ parameter: { code, institution } }) => (institution === undefined ? [] : [[code, institution]]));
    assert.deepEqual(found, [
      ['marital-status', 'a'],
      ['kin', 'a'],
    ]);
    assert.equal(searched.searchParametersOf('Patient').has('kin'), false);
    assert.equal(searched.isIndexing('Patient', 'kin'), true);
    assert.equal(searched.isIndexing('Patient', 'marital-status'), false);
    assert.equal(searched.isIndexing('Group', 'kin'), false);
  });

  test('parses searches by what can be searched, and refuses the rest by name, leniently too', () => {
    const { branches } = parseSearch('Patient', [['marital-status', 'M']], searched, OPTIONS);
    assert.equal(branches[0]?.criteria.length, 1);
    for (const [type, name, value] of [
      ['Patient', 'kin', 'Organization/o'],
      ['Patient', 'kin:missing', 'true'],
      ['Patient', 'kin.name', 'x'],
      ['Patient', '_sort', 'kin'],
      ['Patient', '_include', 'Patient:kin'],
      ['Organization', '_has:Patient:kin:gender', 'male'],
      ['Organization', '_revinclude', 'Patient:kin'],
      ['Observation', 'subject:Patient.kin', 'Organization/o'],
    ] as const) {
      for (const handling of ['strict', 'lenient'] as const) {
        assert.throws(() => parseSearch(type, [[name, value]], searched, { handling, now: 0 }), {
          code: 'search-parameter-indexing',
        });
      }
    }
  });

  test('finds nothing where an expression cannot be evaluated', () => {
    const several = { ...definition('several', "Patient.where(name.family = 'x').maritalStatus"), base: ['Patient'] };
    const negated = { ...definition('negated', 'Patient.name.where(-family = 1).use'), base: ['Patient'] };
    const own = extendRegistry(
      base,
      'a',
      [several, negated].map((one) => ({ definition: one, searchable: true })),
    );
    const resource = { resourceType: 'Patient', name: [{ use: 'usual', family: 'y' }] };
    assert.deepEqual(
      own.indexed.searchValuesOf(resource).filter(({ parameter }) => parameter.institution === 'a'),
      [],
    );
  });
});
