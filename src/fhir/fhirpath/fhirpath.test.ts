import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MedSealError } from '../../errors.ts';
import { parseJson } from '../json/parse.ts';
import { compileExpression, Environment, node, resourceNode } from './fhirpath.ts';

const PATIENT = {
  resourceType: 'Patient',
  id: 'p1',
  active: true,
  name: [
    { use: 'official', family: 'Chalmers', given: ['Peter', 'James'] },
    { use: 'usual', given: ['Jim'] },
    { use: 'maiden', family: 'Windsor', given: ['Peter', 'James'], period: { end: '2002' } },
  ],
  telecom: [
    { system: 'phone', value: '555', rank: 1 },
    { system: 'email', value: 'p@example.org' },
  ],
  gender: 'male',
  birthDate: '1974-12-25',
  _birthDate: {
    id: 'b',
    extension: [{ url: 'http://example.org/birthTime', valueDateTime: '1974-12-25T14:35:45-05:00' }],
  },
  _deceasedBoolean: { extension: [{ url: 'http://example.org/unknown', valueCode: 'unknown' }] },
  managingOrganization: { reference: '#o' },
  generalPractitioner: [
    { reference: 'Practitioner/1' },
    { reference: 'https://example.org/fhir/Organization/7/_history/2' },
    { type: 'PractitionerRole', identifier: { value: 'x' } },
    { reference: 'urn:uuid:c72aa430-2ddc-456e-7a09-dea8264671d8' },
  ],
  contained: [{ resourceType: 'Organization', id: 'o', name: 'Ward' }],
};

const OBSERVATION = parseJson(
  Buffer.from(`{
    "resourceType": "Observation", "id": "o1", "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "BP"},
    "effectivePeriod": {"start": "2024-05-17T10:00:00Z", "end": "2024-05"},
    "valueQuantity": {"value": 7.20, "unit": "mmol/l", "code": "mmol/L", "system": "http://unitsofmeasure.org"},
    "component": [
      {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120, "code": "mm[Hg]"}},
      {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 80.0, "code": "mm[Hg]"}},
      {"code": {"coding": [{"code": "x"}]}, "valueString": "low"}
    ]
  }`),
) as { resourceType: string };

const QUESTIONNAIRE = {
  resourceType: 'Questionnaire',
  item: [
    { linkId: '1', item: [{ linkId: '1.1', item: [{ linkId: '1.1.1', type: 'string' }] }] },
    { linkId: '2', maxLength: 3 },
  ],
};

const NOW = new Date('2024-05-17T10:30:00.000Z');

function evaluate(expression: string, resource: { resourceType: string }): unknown[] {
  const context = resourceNode(resource);
  const compiled = compileExpression(expression, resource.resourceType);
  const results = compiled.evaluate(context, new Environment(context, { now: NOW }));
  return results.map(({ value }) => (JSON.isRawJSON(value) ? value.rawJSON : value));
}

type Row = readonly [expression: string, ...results: unknown[]];

const ON_PATIENT: readonly Row[] = [
  // Paths
  ['Patient.name.family', 'Chalmers', 'Windsor'],
  ['name.given', 'Peter', 'James', 'Jim', 'Peter', 'James'],
  ['Resource.id', 'p1'],
  ['DomainResource.id', 'p1'],
  ['Observation.value'],
  ['Observation.code | Patient.gender', 'male'],
  ['Patient.deceased.exists()', true],
  ['Patient.deceased.hasValue()', false],
  ['Patient.deceased.exists() and Patient.deceased != false'],
  ['birthDate.extension.value', '1974-12-25T14:35:45-05:00'],
  ["birthDate.extension('http://example.org/birthTime').value.ofType(dateTime)", '1974-12-25T14:35:45-05:00'],
  ["birthDate.extension('http://example.org/other').exists()", false],
  ['birthDate.id', 'b'],
  // Existence
  ['name.empty()', false],
  ['photo.empty()', true],
  ['name.exists(use = %use)'.replace('%use', "'usual'"), true],
  ["name.all(given.exists() and use != 'old')", true],
  ['name.all(family.exists())', false],
  ['name.select(family.exists()).allTrue()', false],
  ['name.select(family.exists()).anyTrue()', true],
  ['(true | false).anyFalse()', true],
  ["telecom.select(system = 'fax').allFalse()", true],
  ['name.count()', 3],
  ['name.given.distinct()', 'Peter', 'James', 'Jim'],
  ['name.given.isDistinct()', false],
  ["('Jim' | 'Peter').subsetOf(name.given)", true],
  ["name.given.supersetOf('Jim' | 'Bob')", false],
  ['active.not()', false],
  // Filtering, projection, subsetting
  ["name.where(use = 'official').given", 'Peter', 'James'],
  ["name.where(use = 'nickname').given"],
  ['name.given.where($index = 2)', 'Jim'],
  ["telecom.select(system + ':' + value)", 'phone:555', 'email:p@example.org'],
  ['name[1].given', 'Jim'],
  ['name[7].given'],
  ['name.given.first()', 'Peter'],
  ['name.given.last()', 'James'],
  ['name.given.tail().count()', 4],
  ['name.given.skip(3)', 'Peter', 'James'],
  ['name.given.take(2)', 'Peter', 'James'],
  ['name.given.skip(-1).count()', 5],
  ['gender.single()', 'male'],
  ["name[0].given.intersect(name[2].given | 'Bob')", 'Peter', 'James'],
  ["name.given.exclude('Peter')", 'James', 'Jim', 'James'],
  ['name[0].given.union(name[1].given)', 'Peter', 'James', 'Jim'],
  ['name[0].given.combine(name[2].given).count()', 4],
  ['(name[0].given | name[2].given).count()', 2],
  ['(1 | 2 | 3).aggregate($total + $this, 0)', 6],
  ["iif(active, 'yes', 'no')", 'yes'],
  ["iif(photo.exists(), 'yes')"],
  // Types
  ['telecom.where(value is string and rank is System.Integer).system', 'phone'],
  ['Patient is DomainResource', true],
  ['Patient is FHIR.Observation', false],
  ['gender.is(code)', true],
  ['gender is string', true],
  ['contained.ofType(Organization).name', 'Ward'],
  ['contained.ofType(Patient).name'],
  ['descendants().ofType(id)', 'p1', 'o'],
  ['contained.name', 'Ward'],
  // References
  ['generalPractitioner.where(resolve() is Practitioner).reference', 'Practitioner/1'],
  ['generalPractitioner.where(resolve() is Organization).count()', 1],
  ['generalPractitioner.where(resolve() is PractitionerRole).identifier.value', 'x'],
  ['generalPractitioner.resolve().count()', 3],
  ['managingOrganization.where(resolve() is Organization).reference', '#o'],
  ['managingOrganization.resolve().name', 'Ward'],
  ['generalPractitioner[3].resolve().iif(empty(), true, ofType(Practitioner).exists())', true],
  // Equality and comparison
  ['birthDate = @1974-12-25', true],
  ['birthDate = @1974'],
  ['birthDate < @1974'],
  ['birthDate < @1975', true],
  ['birthDate > @1974-12-26', false],
  ["'abc' ~ ' ABC  '", true],
  ["'a  b' ~ 'A B '", true],
  ['name[0].given = name[2].given', true],
  ["name[0].given ~ ('James' | 'Peter')", true],
  ["name[0].given = ('James' | 'Peter')", false],
  ['1.0 = 1', true],
  ['1.10 ~ 1.1', true],
  ["1 = '1'", false],
  ["gender in ('male' | 'female')", true],
  ["name.given contains 'Jim'", true],
  ['{} in name.given'],
  ['{} = {}'],
  ['photo = photo'],
  ["4 'mg' = 4 'mg'", true],
  ["4 'mg' = 4 'g'"],
  ["4 'mg' < 5 'mg'", true],
  ['4 days > 3 days', true],
  // Three-valued logic
  ['{} and false', false],
  ['{} and true'],
  ['{} or true', true],
  ['{} or false'],
  ['{} xor true'],
  ['false implies {}', true],
  ['{} implies true', true],
  ['{} implies false'],
  ['true implies {}'],
  ['gender and true', true],
  // Arithmetic
  ['1 + 2 * 3', 7],
  ['0.1 + 0.2', 0.3],
  ['7 / 2', 3.5],
  ['7 div 2', 3],
  ['-7 mod 4', -3],
  ['1 / 0'],
  ['-(2 - 5)', 3],
  ["'a' + 'b' & {} & 'c'", 'abc'],
  ["'a' + {}"],
  ['birthDate + 1 year', '1975-12-25'],
  ['now() - 31 days', '2024-04-16T10:30:00.000Z'],
  ['today() = @2024-05-17', true],
  ['timeOfDay() > @T10:29', true],
  ['(-5).abs() + 1.2.ceiling() + 1.8.floor() + (-1.8).truncate()', 7],
  ['1.005.round(2)', 1.01],
  ['(-1.5).round()', -2],
  ['16.sqrt() + 2.power(3) + 100.log(10) + 1.exp().ln()', 15],
  // Conversions
  ["'12'.toInteger() + 1", 13],
  ["'1.5'.toInteger()"],
  ["'1.5'.toDecimal()", 1.5],
  ["'yes'.toBoolean()", true],
  ["'maybe'.convertsToBoolean()", false],
  ["'2024-05'.toDate() = @2024-05", true],
  ["'2024-13'.convertsToDate()", false],
  ["'10:30'.toTime()", '10:30'],
  ['7.toString()', '7'],
  ['true.toString()', 'true'],
  ["'4 \\'mg\\''.toQuantity() = 4 'mg'", true],
  // Text
  ["'hello'.substring(1, 3)", 'ell'],
  ["'hello'.substring(9)"],
  ["'hello'.indexOf('l')", 2],
  ["'hello'.startsWith('he') and 'hello'.endsWith('lo') and 'hello'.contains('ll')", true],
  ["'Hello'.upper() + 'Hello'.lower()", 'HELLOhello'],
  ["'a.b.c'.replace('.', '-')", 'a-b-c'],
  ["'a1b22'.replaceMatches('[0-9]+', '#')", 'a#b#'],
  ["'a\\nb'.matches('^a.b$')", true],
  ["'hello'.length()", 5],
  ["'abc'.toChars()", 'a', 'b', 'c'],
  // Variables and utilities
  ['%resource.id = %context.id and %rootResource.id = id', true],
  ['%ucum', 'http://unitsofmeasure.org'],
  ["%'vs-observation-status'", 'http://hl7.org/fhir/ValueSet/observation-status'],
  ["gender.trace('g', $this)", 'male'],
  ['name[1].children()', 'usual', 'Jim'],
];

const ON_OBSERVATION: readonly Row[] = [
  ['Observation.value.value', '7.20'],
  ['(Observation.value.ofType(Quantity)).unit', 'mmol/l'],
  ['Observation.value.ofType(string)'],
  ['(Observation.value as Quantity).value > 7', true],
  ['Observation.value.as(Quantity).value.toString()', '7.20'],
  ['value is Quantity', true],
  ['component.value.ofType(Quantity).value', 120, '80.0'],
  ['component.value.ofType(Quantity).value.select($this < 100)', false, true],
  ['component.where(value is string).value', 'low'],
  ["component.where(code.coding.exists(code = '8480-6')).value.value", 120],
  ['effective.start <= effective.end'],
  ['effective.ofType(dateTime)'],
  ['effective.ofType(Period).start', '2024-05-17T10:00:00Z'],
  ['value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()', true],
  ['component.value.ofType(Quantity).where(value = 80).code', 'mm[Hg]'],
];

const ON_QUESTIONNAIRE: readonly Row[] = [
  ['repeat(item).linkId', '1', '2', '1.1', '1.1.1'],
  ['descendants().linkId.isDistinct()', true],
  ['item.repeat(item).linkId', '1.1', '1.1.1'],
  ["descendants().where(linkId = '1.1').exists()", true],
];

for (const [resource, rows] of [
  [PATIENT, ON_PATIENT],
  [OBSERVATION, ON_OBSERVATION],
  [QUESTIONNAIRE, ON_QUESTIONNAIRE],
] as const) {
  for (const [expression, ...expected] of rows) {
    test(`${resource.resourceType}: ${expression}`, () => {
      assert.deepEqual(evaluate(expression, resource), expected);
    });
  }
}

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['Patient.nonsense', /Patient has no element "nonsense"/],
  ['name.familly', /HumanName has no element "familly"/],
  ['name.frobnicate()', /Unknown function "frobnicate"/],
  ["gender.memberOf('x')", /not supported: it needs a terminology service/],
  ["conformsTo('x')", /not supported: it needs the profile/],
  ['name.first(1)', /does not take 1 arguments/],
  ['name.where()', /does not take 0 arguments/],
  ['name is Nonsense', /Unknown type "Nonsense"/],
  ['name.ofType(1)', /A type name is needed/],
  ['%nonsense', /Unknown variable "%nonsense"/],
  ['gender.substring(0).foo', /System.String has no element/],
];

for (const [expression, message] of REFUSED) {
  test(`does not compile: ${expression}`, () => {
    assert.throws(
      () => compileExpression(expression, 'Patient'),
      (error) => error instanceof MedSealError && error.code === 'invalid-expression' && message.test(error.message),
    );
  });
}

const FAILING: readonly (readonly [string, RegExp])[] = [
  ['name.given.single()', /single item/],
  ['name.given and true', /single item/],
  ["name.given + 'x'", /single item/],
  ['active > 1', /cannot be compared/],
  ["1 + 'x'", /number is needed/],
  ["'x'.matches('(')", /regular expression/],
  ['1.repeat($this + 1)', /too many items/],
];

for (const [expression, message] of FAILING) {
  test(`fails: ${expression}`, () => {
    assert.throws(
      () => evaluate(expression, PATIENT),
      (error) => error instanceof MedSealError && error.code === 'invalid-expression' && message.test(error.message),
    );
  });
}

test('types of a result are known before it is evaluated', () => {
  assert.deepEqual(compileExpression('Observation.value', 'Observation').types?.length, 11);
  assert.deepEqual(compileExpression('Observation.value.ofType(Quantity)', 'Observation').types, ['Quantity']);
  assert.deepEqual(compileExpression('Patient.name', 'Observation').types, []);
  assert.equal(compileExpression('contained.name', 'Patient').types, undefined);
  assert.deepEqual(compileExpression('low | high', 'decimal', 'Range').types, ['Quantity']);
});

test('an element can be the context, within its resource', () => {
  const name = node(PATIENT.name[0], 'HumanName');
  const expression = compileExpression("%resource.id + ' ' + family + ' ' + %context.use", 'HumanName');
  const results = expression.evaluate(name, new Environment(name, { resource: PATIENT }));
  assert.deepEqual(
    results.map(({ value }) => value),
    ['p1 Chalmers official'],
  );
});

test('a criterion is true, false or undefined', () => {
  const context = resourceNode(PATIENT);
  const outcome = (source: string) => compileExpression(source, 'Patient').test(context);
  assert.equal(outcome("gender = 'male'"), true);
  assert.equal(outcome("gender = 'female'"), false);
  assert.equal(outcome('photo = photo'), undefined);
});

test('what has another shape than its type says is no error', () => {
  for (const name of ['x', 7, null, {}, [null], [[]], [{ given: 'x', family: ['y'] }], true]) {
    const resource = { resourceType: 'Patient', name };
    assert.doesNotThrow(() => evaluate('name.given | descendants().ofType(string)', resource));
  }
  assert.deepEqual(evaluate('name.family', { resourceType: 'Patient' }), []);
});
