import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HOSPITAL_B, PATIENT, provision, record, request } from '../../conformance/support/consent-fixtures.ts';
import { principalFacets, provisionConditions, recordFacets } from './facets.ts';
import { type RecordCoding, type Told, UNKNOWN_PATIENT } from './facts.ts';
import { provisionMatches } from './match-provision.ts';
import type { Coding, Provision } from './policy.ts';

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

describe('a record’s facets', () => {
  test('say what it is, what it may be, and what it leaves open', () => {
    const facets = recordFacets(
      record({
        types: { certain: ['Bundle'], possible: ['Bundle', 'Observation', 'Observation'], open: false },
        codes: {
          certain: [],
          possible: [
            { system: undefined, code: '1' },
            { system: 'urn:x', code: '2' },
          ],
          open: true,
        },
        dates: { from: Date.UTC(2020, 1, 29), until: Date.UTC(2020, 2, 1) },
      }),
    );
    assert.deepEqual(facets, [
      ...['is type Bundle', 'may type Observation', 'is name hospital-a/Observation/r', 'open profile'],
      ...['open confidentiality', 'open tag', 'may code  1', 'may code urn:x 2', 'open code', 'open author'],
      ...['first 202', 'first 2020', 'first 2020-02', 'first 2020-02-29'],
      ...['last 202', 'last 2020', 'last 2020-02', 'last 2020-02-29'],
    ]);
  });
  test('are none where no patient can consent', () => {
    assert.deepEqual(recordFacets(record({ patients: [] })), []);
    assert.deepEqual(recordFacets(record({ patients: [UNKNOWN_PATIENT] })), []);
    assert.notDeepEqual(recordFacets(record({ patients: [UNKNOWN_PATIENT, PATIENT] })), []);
  });
});

describe('a principal’s facets', () => {
  test('are action, actors, and purposes with all above them', () => {
    assert.deepEqual(principalFacets(request({ purposes: ['ETREAT', 'TREAT'] })), [
      'action read',
      `actor ${HOSPITAL_B}`,
      ...['purpose ETREAT', 'purpose TREAT', 'purpose PurposeOfUse'],
    ]);
  });
  test('say so when no purpose was named', () =>
    assert.deepEqual(principalFacets(request({ actors: [], purposes: [] })), ['action read', 'open purpose']));
});

describe('a provision’s conditions', () => {
  test('are one for each attribute, and two for a period with both ends', () => {
    const one = provision({
      actors: [HOSPITAL_B],
      actions: ['read'],
      purposes: ['TREAT'],
      classes: [{ kind: 'type', type: 'Observation' }],
      codes: [{ system: 'urn:x', code: '1' }],
      labels: [{ system: CONFIDENTIALITY, code: 'L' }],
      dataPeriod: { from: Date.UTC(2199), until: Date.UTC(2020) },
      data: [{ meaning: 'instance', resource: PATIENT }],
    });
    assert.equal(provisionConditions(one, 'permit').length, 9);
    assert.deepEqual(provisionConditions({ ...one, dataPeriod: undefined }, 'deny'), [
      [`actor ${HOSPITAL_B}`],
      ['action read'],
      ['purpose TREAT', 'open purpose'],
      ['is type Observation', 'may type Observation', 'open type'],
      [...['is code urn:x 1', 'is code  1', 'may code urn:x 1', 'may code  1', 'open code']],
      [
        ...[`is confidentiality ${CONFIDENTIALITY} U`, 'is confidentiality  U'],
        ...[`is confidentiality ${CONFIDENTIALITY} L`, 'is confidentiality  L'],
        ...[`may confidentiality ${CONFIDENTIALITY} U`, 'may confidentiality  U'],
        ...[`may confidentiality ${CONFIDENTIALITY} L`, 'may confidentiality  L', 'open confidentiality'],
      ],
      [`is name ${PATIENT}`, `may name ${PATIENT}`, 'open name'],
    ]);
  });
  test('of a permit ask for nothing that is left open', () => {
    const one = provision({
      codes: [{ system: 'urn:x', code: '1' }],
      dataPeriod: { from: Number.NEGATIVE_INFINITY, until: Date.UTC(1801) },
    });
    for (const condition of provisionConditions(one, 'permit')) {
      assert.ok(condition.every((facet) => !/^(open|may)/.test(facet)));
    }
  });
});

// What rules ask of facets, and match-provision.ts of facts, is the same question.
describe('conditions meet facets exactly where a provision matches', () => {
  const text = fc.constantFrom('a', 'b', 'c');
  const coding: fc.Arbitrary<Coding> = fc.record({
    system: fc.constantFrom('urn:x', CONFIDENTIALITY),
    code: fc.constantFrom('L', 'N', 'V', 'x'),
  });
  const loose: fc.Arbitrary<RecordCoding> = fc.oneof(
    coding,
    coding.map(({ code }) => ({ system: undefined, code })),
  );
  const toldOf = <T>(certain: fc.Arbitrary<T>, possible: fc.Arbitrary<T>): fc.Arbitrary<Told<T>> =>
    fc
      .record({
        certain: fc.array(certain, { maxLength: 2 }),
        more: fc.array(possible, { maxLength: 2 }),
        open: fc.boolean(),
      })
      .map((one) => ({ certain: one.certain, possible: [...one.certain, ...one.more], open: one.open }));
  const none = <T>(list: fc.Arbitrary<T>) =>
    fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: list, weight: 1 });
  const list = <T>(one: fc.Arbitrary<T>) => none(fc.array(one, { minLength: 1, maxLength: 2 }));
  const DAY = 86_400_000;
  const day = fc.integer({ min: Date.UTC(1801) / DAY, max: Date.UTC(2199) / DAY - 1 });
  const days = fc
    .tuple(none(day), none(day))
    .filter(([a, b]) => a !== undefined || b !== undefined)
    .map(([a, b]) => {
      const [first, last] = a !== undefined && b !== undefined && b < a ? [b, a] : [a, b];
      return {
        from: first === undefined ? Number.NEGATIVE_INFINITY : first * DAY,
        until: last === undefined ? Number.POSITIVE_INFINITY : (last + 1) * DAY,
      };
    });
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(1700), max: Date.UTC(2300) }),
    day.map((at) => at * DAY),
    fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
  );
  const dates = none(
    fc
      .tuple(instant, instant)
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => ({ from: Math.min(a, b), until: Math.max(a, b) })),
  );
  const provisions: fc.Arbitrary<Provision> = fc
    .record({
      actors: list(text),
      actions: list(fc.constantFrom('read' as const, 'disclose' as const)),
      purposes: list(fc.constantFrom('TREAT', 'ETREAT', 'HRESCH')),
      labels: list(coding),
      classes: list(
        fc.oneof(
          text.map((type) => ({ kind: 'type' as const, type })),
          text.map((url) => ({ kind: 'profile' as const, url })),
        ),
      ),
      codes: list(coding),
      dataPeriod: none(days),
      data: list(fc.record({ meaning: fc.constantFrom('instance' as const, 'authoredby' as const), resource: text })),
    })
    .map((given) => provision(given));
  const records = fc.record({
    types: toldOf(text, text).map((one) => ({ ...one, open: false })),
    names: toldOf(text, text).map((one) => ({ ...one, open: false })),
    profiles: toldOf(text, text),
    confidentiality: toldOf(coding as fc.Arbitrary<RecordCoding>, loose),
    tags: toldOf(coding as fc.Arbitrary<RecordCoding>, loose),
    codes: toldOf(coding as fc.Arbitrary<RecordCoding>, loose),
    dates,
    authors: toldOf(text, text),
  });
  const requests = fc.record({
    actors: fc.array(text, { maxLength: 2 }),
    purposes: fc.array(fc.constantFrom('TREAT', 'BTG', 'HRESCH', 'HMARKT'), { maxLength: 2 }),
  });

  for (const effect of ['permit', 'deny'] as const) {
    test(effect, () => {
      let matched = 0;
      const runs = 5000;
      fc.assert(
        fc.property(provisions, requests, records, (one, asked, facts) => {
          const facets = new Set([...recordFacets(record(facts)), ...principalFacets(request(asked))]);
          const met = provisionConditions(one, effect).every((condition) =>
            condition.some((facet) => facets.has(facet)),
          );
          const matches = provisionMatches(one, effect, request(asked), record(facts));
          if (matches) matched += 1;
          assert.equal(met, matches);
        }),
        { numRuns: runs },
      );
      assert.ok(matched > runs / 20 && matched < (runs * 9) / 10, `${matched} of ${runs} matched`);
    });
  }
});
