import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MedSealError } from '../../errors.ts';
import { terminologyOf } from './content.ts';
import { type Composition, expand, type Terminology } from './expansion.ts';
import { packagedTerminology } from './packaged.ts';

const ANIMALS = 'urn:animals';
const TERMINOLOGY: Terminology = {
  codeSystem: (url) =>
    url === ANIMALS
      ? {
          id: 'animals',
          complete: true,
          concepts: [
            [
              'animal',
              'Animal',
              [
                ['bird', 'Bird', [['duck', 'Duck']]],
                ['fish', 'Fish'],
              ],
            ],
            ['plant', 'Plant'],
          ],
        }
      : url === 'urn:fragment'
        ? { id: 'fragment', complete: false, concepts: [['a', 'A']] }
        : undefined,
  valueSet: (url) =>
    ({
      'urn:birds': { include: [{ system: ANIMALS, filter: [{ property: 'concept', op: 'is-a', value: 'bird' }] }] },
      'urn:ducks': { include: [{ system: ANIMALS, concept: [{ code: 'duck' }] }] },
      'urn:endless': { include: [{ valueSet: ['urn:endless'] }] },
    })[url],
};

const codes = (compose: Composition) => expand(TERMINOLOGY, compose).map(({ code }) => code);
const by = (op: string, value: string, property = 'concept') => ({
  system: ANIMALS,
  filter: [{ property, op, value }],
});

describe('the codes of a value set', () => {
  for (const [name, compose, expected] of [
    ['a whole system', { include: [{ system: ANIMALS }] }, ['animal', 'bird', 'duck', 'fish', 'plant']],
    [
      'a system with its version',
      { include: [{ system: `${ANIMALS}|1` }] },
      ['animal', 'bird', 'duck', 'fish', 'plant'],
    ],
    ['listed codes', { include: [{ system: ANIMALS, concept: [{ code: 'fish' }] }] }, ['fish']],
    ['listed codes of a system that is not here', { include: [{ system: 'urn:x', concept: [{ code: 'y' }] }] }, ['y']],
    ['is-a', { include: [by('is-a', 'bird')] }, ['bird', 'duck']],
    ['descendent-of', { include: [by('descendent-of', 'animal')] }, ['bird', 'duck', 'fish']],
    ['is-not-a', { include: [by('is-not-a', 'bird')] }, ['animal', 'fish', 'plant']],
    ['parent', { include: [by('=', 'animal', 'parent')] }, ['bird', 'fish']],
    ['each once', { include: [by('is-a', 'bird'), by('is-a', 'duck')] }, ['bird', 'duck']],
    ['another value set', { include: [{ valueSet: ['urn:birds'] }] }, ['bird', 'duck']],
    ['what two have in common', { include: [{ valueSet: ['urn:birds|2', 'urn:ducks'] }] }, ['duck']],
    [
      'what a system and a value set have in common',
      { include: [{ ...by('descendent-of', 'bird'), valueSet: ['urn:birds'] }] },
      ['duck'],
    ],
    ['an exclusion', { include: [{ system: ANIMALS }], exclude: [by('is-a', 'animal')] }, ['plant']],
  ] as const) {
    test(name, () => assert.deepEqual(codes(compose), expected));
  }

  for (const [name, compose] of [
    ['a system that is not here', { include: [{ system: 'urn:x' }] }],
    ['a system of which only a part is here', { include: [{ system: 'urn:fragment' }] }],
    ['a value set that is not here', { include: [{ valueSet: ['urn:x'] }] }],
    ['a filter of another kind', { include: [by('regex', 'x', 'code')] }],
    ['a value set that includes itself', { include: [{ valueSet: ['urn:endless'] }] }],
  ] as const) {
    test(`cannot be told: ${name}`, () => {
      assert.throws(
        () => codes(compose),
        (error: unknown) => error instanceof MedSealError && error.code === 'terminology-not-available',
      );
    });
  }

  test('displays are those of the value set, else of the system', () => {
    const include = [{ system: ANIMALS, concept: [{ code: 'duck' }, { code: 'fish', display: 'Finned' }] }];
    assert.deepEqual(
      expand(TERMINOLOGY, { include }).map(({ display }) => display),
      ['Duck', 'Finned'],
    );
  });
});

test('HL7’s own value sets are packaged', async () => {
  const terminology = await packagedTerminology(terminologyOf([], []));
  const gender = terminology.valueSet('http://hl7.org/fhir/ValueSet/administrative-gender');
  assert.ok(gender !== undefined);
  assert.deepEqual(
    expand(terminology, gender).map(({ code }) => code),
    ['male', 'female', 'other', 'unknown'],
  );
  assert.equal(terminology.valueSet('constructor'), undefined);
});
