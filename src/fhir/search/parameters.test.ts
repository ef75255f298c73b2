import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { MedSealError } from '../../errors.ts';
import { RESOURCE_TYPES } from '../definitions/definitions.ts';
import { parseJson } from '../json/parse.ts';
import { formatReference } from '../references/reference.ts';
import { createSearchRegistry } from './registry.ts';
import type { SearchValue } from './values.ts';

const registry = createSearchRegistry();

/** A search value on one line. */
function show(value: SearchValue): string {
  switch (value.kind) {
    case 'token':
      return showToken(value);
    case 'reference':
      return showReference(value);
    case 'string':
      return value.text;
    case 'uri':
      return value.value;
    case 'date':
      return `${instant(value.low)} to ${instant(value.high)}`;
    case 'number':
      return `${value.value ?? 'range'} from ${value.low} to ${value.high}`;
    case 'quantity': {
      const unit = `${value.system ?? ''}|${value.code ?? ''} ${value.unit ?? ''}`.trim();
      return `${value.comparator ?? ''}${value.value ?? 'range'} from ${value.low} to ${value.high} ${unit}`;
    }
    case 'composite':
      return value.components.map((component) => component.map(show).join(', ')).join(' $ ');
  }
}

function showToken({ system, code, text, types }: Extract<SearchValue, { kind: 'token' }>): string {
  const coding = code === undefined && system === undefined ? [] : [`${system ?? ''}|${code ?? ''}`];
  const quoted = text === undefined ? [] : [`"${text}"`];
  const typeCodes = types?.map((type) => `(${type.system ?? ''}|${type.code ?? ''})`) ?? [];
  return [...coding, ...quoted, ...typeCodes].join(' ');
}

function showReference({ reference, identifier, type }: Extract<SearchValue, { kind: 'reference' }>): string {
  const literal = reference === undefined ? [] : [`${reference.kind} ${formatReference(reference)}`];
  const logical = identifier === undefined ? [] : [`(${identifier.system ?? ''}|${identifier.code ?? ''})`];
  return [...literal, ...logical, ...(type === undefined ? [] : [`type ${type}`])].join(' ');
}

function instant(milliseconds: number): string {
  return Number.isFinite(milliseconds)
    ? new Date(milliseconds).toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z')
    : String(milliseconds);
}

function valuesOf(resource: { resourceType: string }, code: string): string[] {
  const parameter = registry.searchParametersOf(resource.resourceType).get(code);
  assert.ok(parameter, `${resource.resourceType} has no parameter ${code}`);
  return parameter.values(resource).map(show);
}

type Row = readonly [
  resource: Readonly<Record<string, unknown>> & { readonly resourceType: string },
  code: string,
  ...expected: string[],
];

/** Numbers in their written form, as they arrive. */
const json = (text: string) => parseJson(Buffer.from(text)) as Record<string, unknown>;

const UCUM = 'http://unitsofmeasure.org';
const CODE = {
  coding: [{ system: 'http://loinc.org', code: '8480-6', display: 'Systolic' }, { code: 'local' }],
  text: 'BP',
};
const META = {
  lastUpdated: '2024-05-17T10:30:15.123Z',
  profile: ['http://example.org/p|1.0'],
  tag: [{ system: 'http://t', code: 'a' }],
  security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
  source: 'urn:his:1',
};
const WEIGHT = json('{"value": 70.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}');

const ROWS: readonly Row[] = [
  // Of every resource
  [{ resourceType: 'Basic', id: 'b1' }, '_id', '|b1'],
  [{ resourceType: 'Basic', meta: META }, '_lastUpdated', '2024-05-17T10:30:15.123Z to 2024-05-17T10:30:15.124Z'],
  [{ resourceType: 'Basic', meta: META }, '_profile', 'http://example.org/p|1.0'],
  [{ resourceType: 'Basic', meta: META }, '_tag', 'http://t|a'],
  [{ resourceType: 'Basic', meta: META }, '_security', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R'],
  [{ resourceType: 'Basic', meta: META }, '_source', 'urn:his:1'],
  [{ resourceType: 'Basic', id: 'b1' }, '_content'],
  // Tokens
  [{ resourceType: 'Patient', gender: 'female' }, 'gender', '|female'],
  [{ resourceType: 'Patient', active: true }, 'active', '|true'],
  [{ resourceType: 'Patient', active: false }, 'active', '|false'],
  [{ resourceType: 'Patient' }, 'active'],
  [{ resourceType: 'Patient', deceasedBoolean: true }, 'deceased', '|true'],
  [{ resourceType: 'Patient', deceasedBoolean: false }, 'deceased', '|false'],
  [{ resourceType: 'Patient', deceasedDateTime: '2020' }, 'deceased', '|true'],
  [{ resourceType: 'Patient' }, 'deceased', '|false'],
  [
    {
      resourceType: 'Patient',
      identifier: [
        {
          system: 'urn:oid:2.16.156.1',
          value: '110101199003077758',
          type: { coding: [{ system: 's', code: 'NI' }], text: '身份证' },
        },
        { value: '42' },
        { use: 'old' },
      ],
    },
    'identifier',
    'urn:oid:2.16.156.1|110101199003077758 "身份证" (s|NI)',
    '|42',
  ],
  [
    {
      resourceType: 'Patient',
      telecom: [{ system: 'phone', value: '555' }, { system: 'email', value: 'a@b' }, { system: 'sms' }],
    },
    'telecom',
    '|555',
    '|a@b',
  ],
  [
    {
      resourceType: 'Patient',
      telecom: [
        { system: 'phone', value: '555' },
        { system: 'email', value: 'a@b' },
      ],
    },
    'email',
    '|a@b',
  ],
  [
    { resourceType: 'Patient', communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'zh' }] } }] },
    'language',
    'urn:ietf:bcp:47|zh',
  ],
  [{ resourceType: 'Patient', address: [{ use: 'home' }, { use: 'old' }] }, 'address-use', '|home', '|old'],
  [{ resourceType: 'Observation', code: CODE }, 'code', 'http://loinc.org|8480-6 "Systolic"', '|local', '"BP"'],
  [{ resourceType: 'Observation', status: 'final' }, 'status', '|final'],
  [
    { resourceType: 'Observation', code: CODE, component: [{ code: { coding: [{ code: 'x' }] } }] },
    'combo-code',
    'http://loinc.org|8480-6 "Systolic"',
    '|local',
    '"BP"',
    '|x',
  ],
  [
    { resourceType: 'Encounter', class: { system: 'http://a', code: 'AMB', display: 'ambulatory' } },
    'class',
    'http://a|AMB "ambulatory"',
  ],
  [{ resourceType: 'Encounter', class: { userSelected: true } }, 'class'],
  [{ resourceType: 'MessageHeader', eventUri: 'http://example.org/event' }, 'event', '|http://example.org/event'],
  [{ resourceType: 'MessageHeader', response: { identifier: 'r1' } }, 'response-id', '|r1'],
  [{ resourceType: 'Questionnaire', version: '1.2' }, 'version', '|1.2'],
  [
    { resourceType: 'Group', characteristic: [{ valueBoolean: false }, { valueCodeableConcept: { text: 'x' } }] },
    'value',
    '"x"',
    '|false',
  ],
  [
    { resourceType: 'DocumentReference', content: [{ attachment: { contentType: 'text/plain', language: 'zh-CN' } }] },
    'contenttype',
    '|text/plain',
  ],
  // References
  [{ resourceType: 'Observation', subject: { reference: 'Patient/1' } }, 'subject', 'relative Patient/1'],
  [
    { resourceType: 'Observation', subject: { reference: 'Patient/1/_history/2' } },
    'patient',
    'relative Patient/1/_history/2',
  ],
  [{ resourceType: 'Observation', subject: { reference: 'Group/1' } }, 'patient'],
  [
    { resourceType: 'Observation', subject: { reference: 'https://a.org/fhir/Patient/1' } },
    'patient',
    'absolute https://a.org/fhir/Patient/1',
  ],
  [
    { resourceType: 'Observation', subject: { type: 'Patient', identifier: { system: 's', value: 'v' } } },
    'patient',
    '(s|v) type Patient',
  ],
  [{ resourceType: 'Observation', subject: { identifier: { value: 'v' } } }, 'subject', '(|v)'],
  [{ resourceType: 'Observation', subject: { display: 'somebody' } }, 'subject'],
  [
    { resourceType: 'Observation', subject: { reference: 'urn:uuid:C72AA430-2ddc-456e-7a09-dea8264671d8' } },
    'subject',
    'urn urn:uuid:C72AA430-2ddc-456e-7a09-dea8264671d8',
  ],
  [
    { resourceType: 'Observation', contained: [{ resourceType: 'Patient', id: 'p' }], subject: { reference: '#p' } },
    'patient',
    'fragment #p',
  ],
  [
    {
      resourceType: 'Encounter',
      participant: [{ individual: { reference: 'Practitioner/1' } }, { individual: { reference: 'RelatedPerson/2' } }],
    },
    'practitioner',
    'relative Practitioner/1',
  ],
  [
    { resourceType: 'QuestionnaireResponse', questionnaire: 'http://example.org/Questionnaire/1|2.0' },
    'questionnaire',
    'canonical http://example.org/Questionnaire/1|2.0',
  ],
  [{ resourceType: 'ConceptMap', sourceUri: 'http://example.org/vs' }, 'source-uri', 'canonical http://example.org/vs'],
  [
    { resourceType: 'MedicationRequest', medicationReference: { reference: 'Medication/1' } },
    'medication',
    'relative Medication/1',
  ],
  [{ resourceType: 'MedicationRequest', medicationCodeableConcept: { text: 'x' } }, 'medication'],
  [
    {
      resourceType: 'Bundle',
      entry: [
        { resource: { resourceType: 'Composition', id: 'c' } },
        { resource: { resourceType: 'Composition', id: 'd' } },
      ],
    },
    'composition',
    'relative Composition/c',
  ],
  [{ resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Composition', id: 'c' } }] }, 'message'],
  [{ resourceType: 'Task', focus: { reference: 'ServiceRequest/1' } }, 'focus', 'relative ServiceRequest/1'],
  [
    { resourceType: 'Consent', sourceReference: { reference: 'DocumentReference/1' } },
    'source-reference',
    'relative DocumentReference/1',
  ],
  [{ resourceType: 'Consent', sourceAttachment: { title: 'x' } }, 'source-reference'],
  // Strings
  [
    {
      resourceType: 'Patient',
      name: [{ family: '张', given: ['三', '丰'], prefix: ['Dr'], suffix: ['Jr'], text: '张三丰', use: 'official' }],
    },
    'name',
    '张',
    '三',
    '丰',
    'Dr',
    'Jr',
    '张三丰',
  ],
  [{ resourceType: 'Patient', name: [{ family: 'Chalmers' }, { family: 'Windsor' }] }, 'family', 'Chalmers', 'Windsor'],
  [
    {
      resourceType: 'Patient',
      address: [
        {
          line: ['1 Main St', 'Flat 2'],
          city: 'X',
          district: 'D',
          state: 'S',
          postalCode: '100',
          country: 'CN',
          text: 'all',
          use: 'home',
        },
      ],
    },
    'address',
    '1 Main St',
    'Flat 2',
    'X',
    'D',
    'S',
    '100',
    'CN',
    'all',
  ],
  [{ resourceType: 'Patient', address: [{ city: 'X' }] }, 'address-city', 'X'],
  [{ resourceType: 'Observation', valueString: 'pale' }, 'value-string', 'pale'],
  [
    { resourceType: 'Observation', valueCodeableConcept: { text: 'yellow', coding: [{ code: 'y' }] } },
    'value-string',
    'yellow',
  ],
  [{ resourceType: 'Location', name: 'Ward', alias: ['W'], description: 'x' }, 'name', 'Ward', 'W'],
  [{ resourceType: 'Questionnaire', description: '**bold**' }, 'description', '**bold**'],
  [{ resourceType: 'Condition', onsetString: 'in childhood' }, 'onset-info', 'in childhood'],
  // Dates
  [{ resourceType: 'Patient', birthDate: '1990-03' }, 'birthdate', '1990-03-01 to 1990-04-01'],
  [{ resourceType: 'Patient', deceasedDateTime: '2020' }, 'death-date', '2020-01-01 to 2021-01-01'],
  [
    { resourceType: 'Observation', effectiveDateTime: '2024-05-17T10:30:00+08:00' },
    'date',
    '2024-05-17T02:30:00Z to 2024-05-17T02:30:01Z',
  ],
  [
    { resourceType: 'Observation', effectiveInstant: '2024-05-17T10:30:00.5Z' },
    'date',
    '2024-05-17T10:30:00.500Z to 2024-05-17T10:30:00.600Z',
  ],
  [
    { resourceType: 'Observation', effectivePeriod: { start: '2024-05-17', end: '2024-05-18' } },
    'date',
    '2024-05-17 to 2024-05-19',
  ],
  [{ resourceType: 'Encounter', period: { start: '2024-05' } }, 'date', '2024-05-01 to Infinity'],
  [{ resourceType: 'Encounter', period: { end: '2024' } }, 'date', '-Infinity to 2025-01-01'],
  [{ resourceType: 'Encounter', period: {} }, 'date'],
  [{ resourceType: 'Encounter', period: { start: 'soon' } }, 'date'],
  [
    { resourceType: 'ServiceRequest', occurrenceTiming: { event: ['2024-05-17', '2024-03', '2024-04-01'] } },
    'occurrence',
    '2024-03-01 to 2024-05-18',
  ],
  [
    {
      resourceType: 'ServiceRequest',
      occurrenceTiming: { repeat: { boundsPeriod: { start: '2024-05-17' }, frequency: 1 } },
    },
    'occurrence',
    '2024-05-17 to Infinity',
  ],
  [
    { resourceType: 'ServiceRequest', occurrenceTiming: { repeat: { frequency: 2, period: 1, periodUnit: 'd' } } },
    'occurrence',
  ],
  [{ resourceType: 'Procedure', performedString: 'last year' }, 'date'],
  [
    { resourceType: 'Condition', abatementPeriod: { start: '2024', end: '2025' } },
    'abatement-date',
    '2024-01-01 to 2026-01-01',
  ],
  [
    { resourceType: 'Goal', target: [{ dueDate: '2024-05-17' }, { dueDuration: { value: 1 } }] },
    'target-date',
    '2024-05-17 to 2024-05-18',
  ],
  [
    {
      resourceType: 'CarePlan',
      activity: [{ detail: { scheduledPeriod: { start: '2024' } } }, { detail: { scheduledString: 'x' } }],
    },
    'activity-date',
    '2024-01-01 to Infinity',
  ],
  // Numbers
  [
    { resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: 0.25 }] },
    'probability',
    '0.25 from 0.245 to 0.255',
  ],
  [
    { resourceType: 'RiskAssessment', prediction: [json('{"probabilityDecimal": 0.250}')] },
    'probability',
    '0.25 from 0.2495 to 0.2505',
  ],
  [
    { resourceType: 'RiskAssessment', prediction: [{ probabilityRange: { low: { value: 10 } } }] },
    'probability',
    'range from 9.5 to Infinity',
  ],
  [
    { resourceType: 'MolecularSequence', variant: [{ start: 22125503, end: 22125510 }] },
    'variant-start',
    '22125503 from 22125502.5 to 22125503.5',
  ],
  [json('{"resourceType": "ChargeItem", "factorOverride": 1.0}') as Row[0], 'factor-override', '1 from 0.95 to 1.05'],
  // Quantities
  [
    { resourceType: 'Observation', valueQuantity: WEIGHT },
    'value-quantity',
    `70.5 from 70.495 to 70.505 ${UCUM}|kg kg`,
  ],
  [
    { resourceType: 'Observation', valueQuantity: { value: 5, comparator: '<' } },
    'value-quantity',
    '<5 from -Infinity to 5 |',
  ],
  [
    { resourceType: 'Observation', valueQuantity: { value: 5, comparator: '<=' } },
    'value-quantity',
    '<=5 from -Infinity to 5.5 |',
  ],
  [
    { resourceType: 'Observation', valueQuantity: { value: 5, comparator: '>' } },
    'value-quantity',
    '>5 from 5 to Infinity |',
  ],
  [
    { resourceType: 'Observation', valueQuantity: { value: 5, comparator: '>=' } },
    'value-quantity',
    '>=5 from 4.5 to Infinity |',
  ],
  [{ resourceType: 'Observation', valueQuantity: { unit: 'kg' } }, 'value-quantity'],
  [{ resourceType: 'Observation', valueInteger: 5 }, 'value-quantity'],
  [
    {
      resourceType: 'Observation',
      valueSampledData: { origin: { value: 100, unit: 'mV' }, factor: 1.5, lowerLimit: -10, data: '2 4 E -1 L' },
    },
    'value-quantity',
    'range from 85 to 106 | mV',
  ],
  [
    { resourceType: 'Condition', onsetAge: { value: 52, code: 'a', system: UCUM } },
    'onset-age',
    `52 from 51.5 to 52.5 ${UCUM}|a`,
  ],
  [
    { resourceType: 'Condition', onsetRange: { low: { value: 40, code: 'a' }, high: { value: 50 } } },
    'onset-age',
    'range from 39.5 to 50.5 |a',
  ],
  [
    { resourceType: 'Invoice', totalGross: { value: 40.22, currency: 'CNY' } },
    'totalgross',
    '40.22 from 40.215 to 40.225 urn:iso:std:iso:4217|CNY',
  ],
  [
    { resourceType: 'Encounter', length: { value: 3, unit: 'days', code: 'd', system: UCUM } },
    'length',
    `3 from 2.5 to 3.5 ${UCUM}|d days`,
  ],
  // URIs
  [{ resourceType: 'ValueSet', url: 'http://example.org/vs' }, 'url', 'http://example.org/vs'],
  [{ resourceType: 'Subscription', channel: { endpoint: 'https://example.org/x' } }, 'url', 'https://example.org/x'],
  [{ resourceType: 'CarePlan', instantiatesUri: ['http://a', 'http://b'] }, 'instantiates-uri', 'http://a', 'http://b'],
  // Composites
  [
    { resourceType: 'Observation', code: { coding: [{ code: 'w' }] }, valueQuantity: { value: 70, code: 'kg' } },
    'code-value-quantity',
    '|w $ 70 from 69.5 to 70.5 |kg',
  ],
  [{ resourceType: 'Observation', code: { coding: [{ code: 'w' }] }, valueString: 'x' }, 'code-value-quantity'],
  [
    {
      resourceType: 'Observation',
      code: { coding: [{ code: 'bp' }] },
      component: [
        { code: { coding: [{ code: 's' }] }, valueQuantity: { value: 120 } },
        { code: { coding: [{ code: 'd' }, { code: 'e' }] }, valueQuantity: { value: 80 } },
      ],
    },
    'combo-code-value-quantity',
    '|s $ 120 from 119.5 to 120.5 |',
    '|d, |e $ 80 from 79.5 to 80.5 |',
  ],
  [
    { resourceType: 'Observation', code: { coding: [{ code: 'w' }] }, valueDateTime: '2024' },
    'code-value-date',
    '|w $ 2024-01-01 to 2025-01-01',
  ],
  [
    {
      resourceType: 'DocumentReference',
      relatesTo: [{ code: 'appends', target: { reference: 'DocumentReference/1' } }],
    },
    'relationship',
    'relative DocumentReference/1 $ |appends',
  ],
  [
    {
      resourceType: 'MolecularSequence',
      referenceSeq: { chromosome: { coding: [{ code: '7' }] } },
      variant: [{ start: 1, end: 2 }],
    },
    'chromosome-variant-coordinate',
    '|7 $ 1 from 0.5 to 1.5 $ 2 from 1.5 to 2.5',
  ],
  [
    {
      resourceType: 'Group',
      characteristic: [
        { code: { text: 'c' }, valueBoolean: true },
        { code: { text: 'd' }, valueReference: {} },
      ],
    },
    'characteristic-value',
    '"c" $ |true',
  ],
  // Special
  [{ resourceType: 'Location', position: { latitude: 1, longitude: 2 } }, 'near'],
];

for (const [i, [resource, code, ...expected]] of ROWS.entries()) {
  test(`${i}: ${resource.resourceType}?${code} finds ${expected.join('; ') || 'nothing'}`, () => {
    assert.deepEqual(valuesOf(resource, code), expected);
  });
}

test('HL7’s example patient and blood pressure are found by what they say', () => {
  const examples = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'));
  const read = (name: string) => parseJson(readFileSync(join(examples, `${name}.json`))) as unknown as Row[0];
  const patient = read('Patient-example');
  assert.deepEqual(valuesOf(patient, 'given'), ['Peter', 'James', 'Jim', 'Peter', 'James']);
  assert.deepEqual(valuesOf(patient, 'organization'), ['relative Organization/1']);
  const found = registry.searchValuesOf(read('Observation-blood-pressure'));
  const byCode = new Map(found.map(({ parameter, values }) => [parameter.code, values.map(show)]));
  assert.deepEqual(byCode.get('component-value-quantity'), [
    `107 from 106.5 to 107.5 ${UCUM}|mm[Hg] mmHg`,
    `60 from 59.5 to 60.5 ${UCUM}|mm[Hg] mmHg`,
  ]);
  assert.equal(byCode.has('value-quantity'), false);
  assert.equal(byCode.size, found.length);
});

test('a type has its own parameters and those of its ancestors', () => {
  const patient = registry.searchParametersOf('Patient');
  for (const code of ['_id', '_lastUpdated', '_tag', '_profile', '_security', '_source', '_text', 'birthdate']) {
    assert.ok(patient.has(code), code);
  }
  assert.equal(registry.searchParametersOf('Binary').has('_text'), false);
  assert.deepEqual([...registry.searchParametersOf('Resource').keys()].sort(), [
    '_content',
    '_id',
    '_lastUpdated',
    '_profile',
    '_query',
    '_security',
    '_source',
    '_tag',
  ]);
  for (const name of ['', 'Nonsense', 'HumanName', 'constructor', 'DomainResource']) {
    assert.equal(registry.searchParametersOf(name).size, 0, name);
  }
  assert.deepEqual(patient.get('organization')?.targets, ['Organization']);
  const composite = registry.searchParametersOf('Observation').get('code-value-quantity');
  assert.deepEqual(
    composite?.components?.map(({ type }) => type),
    ['token', 'quantity'],
  );
});

test('every type compiles, and none holds the same code twice', () => {
  let count = 0;
  for (const type of RESOURCE_TYPES) {
    for (const [code, parameter] of registry.searchParametersOf(type)) {
      assert.equal(parameter.code, code);
      assert.equal(parameter.base, type);
      count += 1;
    }
  }
  assert.ok(count > 2_500, String(count));
});

test('parameters can be added, also in the place of R4’s', () => {
  const race = {
    url: 'http://example.org/race',
    code: 'race',
    type: 'token' as const,
    base: ['Patient'],
    expression: "Patient.extension.where(url = 'http://example.org/race').value.ofType(Coding)",
  };
  const extended = createSearchRegistry([race, { ...race, code: 'gender' }]);
  const resource = {
    resourceType: 'Patient',
    extension: [{ url: 'http://example.org/race', valueCoding: { code: 'x' } }],
  };
  const values = (code: string) => extended.searchParametersOf('Patient').get(code)?.values(resource).map(show);
  assert.deepEqual(values('race'), ['|x']);
  assert.deepEqual(values('gender'), ['|x']);
  assert.equal(registry.searchParametersOf('Patient').has('race'), false);
});

test('a parameter that does not compile is refused', () => {
  const wrong = {
    url: 'http://example.org/x',
    code: 'x',
    type: 'token' as const,
    base: ['Patient'],
    expression: 'Patient.x',
  };
  assert.throws(
    () => createSearchRegistry([wrong]).searchParametersOf('Patient'),
    (error) => error instanceof MedSealError && error.code === 'invalid-expression',
  );
});

test('what has another shape than its type says finds nothing and is no error', () => {
  const shapes: unknown[] = [
    'x',
    7,
    null,
    {},
    [],
    [null],
    [[]],
    [{}],
    [{ coding: 'x', value: {}, reference: 7 }],
    true,
  ];
  for (const shape of shapes) {
    for (const type of ['Patient', 'Observation', 'Bundle', 'ServiceRequest', 'Location'] as const) {
      const names = [
        'identifier',
        'code',
        'subject',
        'name',
        'value',
        'valueQuantity',
        'effectivePeriod',
        'entry',
        'component',
      ];
      const resource = { resourceType: type, ...Object.fromEntries(names.map((name) => [name, shape])) };
      assert.doesNotThrow(() => registry.searchValuesOf(resource));
    }
  }
});
