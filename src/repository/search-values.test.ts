import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Observation, Patient, Quantity } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { matchesResource } from '../fhir/search/match.ts';
import { parseSearch } from '../fhir/search/query.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createResourceIndexer } from '../sealing/blind-index/resource-tokens.ts';
import { createSources } from '../sealing/blind-index/sources.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import type { Criterion } from './criteria.ts';
import { createNames } from './names.ts';
import { translate } from './search-criteria.ts';

const NOW = Date.UTC(2024, 5, 15);
const registry = createSearchRegistry();
const tokenizer = createTokenizer(Buffer.alloc(32, 1));
const sourcesOf = createSources();
const names = createNames({
  institutions: { find: () => undefined },
  identities: createIdentities(Buffer.alloc(32, 2)),
  publicUrl: 'https://node.example',
});
const indexResource = createResourceIndexer(tokenizer, sourcesOf);

interface Row {
  readonly tokens: ReadonlySet<string>;
  readonly traits: ReadonlySet<string>;
}

function rowOf(resource: Observation | Patient): Row {
  const found = registry.searchValuesOf(resource);
  const { tokens, traits } = indexResource(resource.resourceType, found, (target) => names.locate(target, 'a'));
  return { tokens: new Set(tokens), traits: new Set(traits) };
}

/** What PostgreSQL does with the criterion, for the kinds that look at one row only. */
function holds(criterion: Criterion, row: Row): boolean {
  switch (criterion.kind) {
    case 'all':
      return criterion.of.every((one) => holds(one, row));
    case 'any':
      return criterion.of.some((one) => holds(one, row));
    case 'not':
      return !holds(criterion.of, row);
    case 'every':
      return criterion.tokens.every((token) => row.tokens.has(token));
    case 'some':
      return criterion.tokens.some((token) => row.tokens.has(token));
    case 'traits':
      return criterion.every.every((token) => row.traits.has(token));
    default:
      throw new Error(`${criterion.kind} looks beyond one row`);
  }
}

/** Whether the index finds the resource, whether it is one that is asked for, and whether the index claims to know. */
function ask(resource: Observation | Patient, name: string, value: string) {
  const type = resource.resourceType;
  const [asked] =
    parseSearch(type, [[name, value]], registry, { handling: 'strict', now: NOW }).branches[0]?.criteria ?? [];
  assert.ok(asked);
  const { criterion, exact } = translate(asked, { tokenizer, names, sourcesOf, registry, institutions: ['a'], type });
  return { found: holds(criterion, rowOf(resource)), meant: matchesResource(asked, resource), exact };
}

/** Nothing that is asked for may be missed; where the index claims to be exact, nothing else may be found. */
function agrees(resource: Observation | Patient, name: string, value: string): void {
  const { found, meant, exact } = ask(resource, name, value);
  const what = `${name}=${value} of ${JSON.stringify(resource)}`;
  if (meant) assert.ok(found, `the index misses ${what}`);
  if (exact) assert.equal(found, meant, `the index is not exact for ${what}`);
}

const PREFIXES = ['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];
const UNITS = ['mg', 'g', 'kg', '[lb_av]', 'mg/dL', 'g/L', 'Cel', '[degF]', 'K', 'nonsense', '%', '1', '[iU]', '{x}'];
const UCUM = 'http://unitsofmeasure.org';

const prefix = fc.constantFrom(...PREFIXES);
/** As they are written; often near each other and near powers of ten. */
const decimal = fc.oneof(
  fc.constantFrom('0', '1', '10', '100', '0.1', '-1', '5', '5.0', '5.00', '9.99', '1e3', '37.0', '98.6'),
  fc.double({ min: -2000, max: 2000, noNaN: true }).map((value) => String(Number(value.toPrecision(4)))),
  fc.integer({ min: -20, max: 20 }).map(String),
);
const unit = fc.oneof(
  fc.constantFrom(...UNITS).map((code): Partial<Quantity> => ({ system: UCUM, code })),
  fc.constant<Partial<Quantity>>({ system: 'urn:local', code: 'mg' }),
  fc.constant<Partial<Quantity>>({ unit: 'mg' }),
  fc.constant<Partial<Quantity>>({}),
);
const quantity = fc.tuple(decimal, unit, fc.constantFrom(undefined, undefined, undefined, '<', '<=', '>', '>=')).map(
  ([value, of, comparator]): Quantity => ({
    value: Number(value),
    ...of,
    ...(comparator === undefined ? {} : { comparator: comparator as '<' }),
  }),
);
const asked = fc
  .tuple(prefix, decimal, unit)
  .map(([sign, value, { system, code, unit: name }]) =>
    code === undefined && name === undefined ? sign + value : `${sign}${value}|${system ?? ''}|${code ?? name}`,
  );

const observed = (more: Partial<Observation>): Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '718-7', display: 'Hemoglobin' }] },
  ...more,
});

const RUNS = { numRuns: 3000 };

describe('the index finds all that is asked for', () => {
  test('quantities, with and without units', () => {
    fc.assert(
      fc.property(quantity, asked, (valueQuantity, value) => {
        agrees(observed({ valueQuantity }), 'value-quantity', value);
        agrees(observed({ valueQuantity }), 'combo-value-quantity', value);
        agrees(observed({ valueQuantity }), 'code-value-quantity', `718-7$${value}`);
      }),
      RUNS,
    );
  });

  test('ranges of sampled data', () => {
    const sampled = fc.array(decimal, { minLength: 1, maxLength: 3 }).map((data) => ({
      origin: { value: 1, system: UCUM, code: 'mg' },
      period: 1,
      dimensions: 1,
      data: data.join(' '),
    }));
    fc.assert(
      fc.property(sampled, asked, (valueSampledData, value) =>
        agrees(observed({ valueSampledData }), 'value-quantity', value),
      ),
      RUNS,
    );
  });

  test('dates, to the day and finer', () => {
    const written = fc.constantFrom(
      ...['2019', '2020', '2020-02', '2020-02-29', '2020-03-01', '2020-02-29T10:00:00Z', '2020-02-29T23:59:59+08:00'],
      ...['2020-02-29T10:00:00.5Z', '1799-12-31', '2250', '2020-12-31T23:59:59Z', '2021-01-01'],
    );
    const instant = written.filter((text) => /^\d{4}(-\d\d(-\d\d(T.*)?)?)?$/.test(text));
    fc.assert(
      fc.property(instant, instant, written, prefix, (start, end, value, sign) => {
        agrees(observed({ effectiveDateTime: start }), 'date', sign + value);
        const [low = '', high = ''] = [start, end].sort();
        agrees(observed({ effectivePeriod: { start: low, end: high } }), 'date', sign + value);
        agrees(observed({ effectivePeriod: { start: low } }), 'date', sign + value);
      }),
      RUNS,
    );
  });

  test('parts and beginnings of texts', () => {
    const sign = fc.constantFrom(...['a', 'b', 'A', 'é', 'ß', '-', ' ', '王', '明', 'ﬁ', 'I', 'i', '😀', "'"]);
    const text = fc.oneof(
      fc.array(sign, { minLength: 1, maxLength: 8 }).map((signs) => signs.join('')),
      fc.array(sign, { minLength: 36, maxLength: 46 }).map((signs) => signs.join('')),
    );
    fc.assert(
      fc.property(text, text, fc.nat(12), fc.nat(12), (whole, other, from, length) => {
        const part = [...whole].slice(from, from + length).join('') || other;
        for (const wanted of [part, other]) {
          const patient: Patient = { resourceType: 'Patient', name: [{ family: whole }] };
          for (const name of ['family', 'family:contains', 'family:exact', 'name:contains', 'phonetic']) {
            agrees(patient, name, wanted);
          }
          agrees(observed({ code: { text: whole } }), 'code:text', wanted);
          agrees(observed({ valueString: whole }), 'code-value-string', `x$${wanted}`);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('tokens', () => {
    const code = fc.constantFrom('x', 'y');
    const system = fc.constantFrom(undefined, 'urn:a', 'urn:b');
    fc.assert(
      fc.property(code, system, code, fc.constantFrom('', '|', 'urn:a|', 'urn:b|'), (given, of, wanted, before) => {
        const coding = [{ code: given, ...(of === undefined ? {} : { system: of }) }];
        for (const name of ['code', 'combo-code']) agrees(observed({ code: { coding } }), name, before + wanted);
      }),
      { numRuns: 300 },
    );
  });
});
