import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { confidentialityOf, coveredLabels, isConfidentiality, tagsOf } from './labels.ts';

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const conf = (code: string) => ({ system: CONFIDENTIALITY, code });
const unsaid = (code: string) => ({ system: undefined, code });
const tag = { system: ACT_CODE, code: 'PSY' };

describe('a provision’s label covers', () => {
  for (const [label, covered] of [
    ['U', 'U'],
    ['N', 'ULMN'],
    ['R', 'ULMNR'],
    ['V', 'ULMNRV'],
  ] as const) {
    test(`${label}: ${covered}`, () => assert.deepEqual(coveredLabels(conf(label)), [...covered].map(conf)));
  }

  test('itself alone, when it is of no order', () => {
    for (const label of [tag, conf('HIV'), { system: ACT_CODE, code: 'R' }]) {
      assert.equal(isConfidentiality(label), false);
      assert.deepEqual(coveredLabels(label), [label]);
    }
  });
});

describe('how confidential a record is', () => {
  const none = { certain: [], possible: [], open: true };
  for (const [why, own, inner, expected] of [
    ['without labels nothing is told', [], [], none],
    ['a tag does not tell it', [tag], [], none],
    ['its label', [conf('N')], [], { certain: [conf('N')], possible: [conf('N')], open: false }],
    ['the higher of two', [conf('N'), conf('R')], [], { certain: [conf('R')], possible: [conf('R')], open: false }],
    [
      'a higher one that lacks its system may be of this order, so nothing is certain',
      [conf('N'), unsaid('V')],
      [],
      { certain: [], possible: [unsaid('V')], open: false },
    ],
    [
      'a lower one without its system changes nothing',
      [unsaid('L'), conf('N')],
      [],
      { certain: [conf('N')], possible: [conf('N')], open: false },
    ],
    [
      'of two that are the same, the one that bears its system',
      [unsaid('N'), conf('N')],
      [],
      { certain: [conf('N')], possible: [conf('N')], open: false },
    ],
    [
      'what is inside counts for the whole',
      [conf('N')],
      [[conf('V')], [tag]],
      { certain: [conf('V')], possible: [conf('N'), conf('V')], open: false },
    ],
    ['a label inside does not label the whole', [], [[conf('N')]], { certain: [], possible: [conf('N')], open: true }],
  ] as const) {
    test(why, () => assert.deepEqual(confidentialityOf(own, inner), expected));
  }
});

describe('the tags of a record', () => {
  for (const [why, own, inner, expected] of [
    ['without any label, none is told', [], [], { certain: [], possible: [], open: true }],
    [
      'a label of confidentiality is none, but tells that it was labelled',
      [conf('N')],
      [],
      { certain: [], possible: [], open: false },
    ],
    ['its tags', [conf('N'), tag], [], { certain: [tag], possible: [tag], open: false }],
    ['one without its system may be any', [unsaid('PSY')], [], { certain: [], possible: [unsaid('PSY')], open: false }],
    [
      'even one that looks like confidentiality',
      [unsaid('R')],
      [],
      { certain: [], possible: [unsaid('R')], open: false },
    ],
    ['one inside may be what a deny is about', [conf('N')], [[tag]], { certain: [], possible: [tag], open: false }],
    [
      'a tag of the confidentiality system',
      [conf('HIV')],
      [],
      { certain: [conf('HIV')], possible: [conf('HIV')], open: false },
    ],
  ] as const) {
    test(why, () => assert.deepEqual(tagsOf(own, inner), expected));
  }
});
