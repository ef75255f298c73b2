import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hl7Examples } from '../../../../conformance/support/sample-data.ts';
import { canonicalUnit, canonicalValue } from './ucum.ts';
import table from './units.json' with { type: 'json' };

function inBase(value: number, code: string): readonly [number, string] {
  const unit = canonicalUnit(code);
  assert.ok(unit, code);
  return [canonicalValue(value, unit), unit.dimension];
}

describe('units of UCUM', () => {
  // Factors as UCUM and NIST SP 811 have them.
  for (const [value, code, equal, other] of [
    [1, 'g/L', 100, 'mg/dL'],
    [5.4, 'mmol/L', 5400, 'umol/L'],
    [1, 'kg', 1000, 'g'],
    [1, '[lb_av]', 453.59237, 'g'],
    [1, '[in_i]', 2.54, 'cm'],
    [1, '[ft_i]', 12, '[in_i]'],
    [37, 'Cel', 310.15, 'K'],
    [98.6, '[degF]', 37, 'Cel'],
    [760, 'mm[Hg]', 101.32472, 'kPa'],
    [1, 'atm', 101325, 'Pa'],
    [4.5, '10*3/uL', 4.5, '10*9/L'],
    [4.5, '10^3/uL', 4500, '/uL'],
    [72, '{beats}/min', 1.2, '/s'],
    [1, '[IU]/mL', 1, 'k[iU]/L'],
    [120, 'mL/min/{1.73_m2}', 2, 'mL/s'],
    [1, 'mg/(24.h)', 1, 'mg/d'],
    [1, 'N', 1, 'kg.m/s2'],
    [1, 'N', 1, 'kg.m.s-2'],
    [1, 'kcal', 4184, 'J'],
    [50, '%', 0.5, '1'],
    [1, '{score}', 1, '{INR}'],
    [1, 'wk', 7, 'd'],
    [1, 'l', 1, 'dm3'],
    [1, 'meq/L', 1, 'mmol/L'],
    [1, 'm[H2O]', 9806.65, 'Pa'],
    [3, '{#}/uL', 3000, '/mL'],
  ] as const) {
    test(`${value} ${code} is ${equal} ${other}`, () => assert.deepEqual(inBase(value, code), inBase(equal, other)));
  }

  test('what measures something else does not convert', () => {
    const dimensions = [
      'g',
      'm',
      's',
      'K',
      'g/L',
      '[iU]/L',
      "[arb'U]/L",
      '/L',
      '[pH]',
      'dB',
      '1',
      'm2',
      'cd',
      'rad',
    ].map((code) => canonicalUnit(code)?.dimension);
    assert.equal(new Set(dimensions).size, dimensions.length, String(dimensions));
  });

  test('what is no unit is none', () => {
    const none = [
      '',
      'mcg',
      'nope',
      'm/',
      '(m',
      'm)',
      'm//s',
      'k',
      'k[in_i]',
      'm s',
      'J/Cel',
      '{',
      '-1',
      'x'.repeat(200),
    ];
    for (const code of [...none, 'constructor', '__proto__', `${'(/'.repeat(40)}m`, '10*999']) {
      assert.equal(canonicalUnit(code), undefined, code);
    }
    assert.deepEqual(none.map(canonicalUnit).filter(Boolean), []);
  });

  test('every unit of the table that has a definition comes down to base units', () => {
    for (const code of Object.keys(table.units)) assert.ok(canonicalUnit(code), code);
  });

  test("nearly all UCUM codes of HL7's examples are known", () => {
    const [known, unknown] = [new Set<string>(), new Set<string>()];
    for (const { bytes } of hl7Examples()) {
      JSON.parse(Buffer.from(bytes).toString('utf8'), (_, value) => {
        if (value?.system === 'http://unitsofmeasure.org' && typeof value.code === 'string') {
          (canonicalUnit(value.code) === undefined ? unknown : known).add(value.code);
        }
        return value;
      });
    }
    assert.ok(known.size > 40, String(known.size));
    // HL7's own mistakes.
    assert.deepEqual([...unknown].sort(), ['TAB', 'drop', 'ea', 'mEq', 'mcg', 'ml/hr', 'month', 'tbl']);
  });
});
