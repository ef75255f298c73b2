import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MedSealError } from '../../errors.ts';
import { RESOURCE_TYPES } from '../definitions/definitions.ts';
import { formatReference } from '../references/reference.ts';
import type { FilterExpression } from './query/filter.ts';
import { type Criterion, type Operand, parseSearch, type SearchQuery } from './query.ts';
import { createSearchRegistry } from './registry.ts';

const registry = createSearchRegistry();

const NOW = Date.parse('2024-01-01T00:00:00Z');

/** The decoded pairs of a query string, as the API hands them over. */
function search(type: string | undefined, query: string, handling: 'strict' | 'lenient' = 'strict'): SearchQuery {
  const pairs =
    query === ''
      ? []
      : query.split('&').map((pair): [string, string] => {
          const at = pair.indexOf('=');
          return [pair.slice(0, at), pair.slice(at + 1)];
        });
  return parseSearch(type, pairs, registry, { handling, now: NOW });
}

const day = (milliseconds: number) =>
  new Date(milliseconds).toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z');

function showOperand(operand: Operand): string {
  switch (operand.kind) {
    case 'token':
      return `{${operand.system === null ? 'none' : (operand.system ?? 'any')} ${operand.code ?? 'any'}}`;
    case 'of-type':
      return `{${operand.system ?? 'any'} ${operand.code} ${operand.value}}`;
    case 'text':
    case 'string':
      return `"${operand.text}"`;
    case 'value-set':
      return `in ${operand.url}`;
    case 'reference': {
      const target =
        operand.reference === undefined
          ? `id ${operand.id}`
          : `${operand.reference.kind} ${formatReference(operand.reference)}`;
      return `${target} of ${operand.types.join('/') || 'any'}`;
    }
    case 'date':
      return `${operand.prefix} ${day(operand.low)} to ${day(operand.high)} (${operand.precision})`;
    case 'number':
      return `${operand.prefix} ${operand.value} in ${operand.low} to ${operand.high}`;
    case 'quantity':
      return `${operand.prefix} ${operand.value} in ${operand.low} to ${operand.high} ${operand.system ?? 'any'} ${operand.code ?? 'any'}`;
    case 'uri':
      return operand.uri;
    case 'near':
      return `${operand.latitude} ${operand.longitude} ${operand.distance ?? '-'} ${operand.unit}`;
    case 'composite':
      return operand.operands.map(showOperand).join(' $ ');
  }
}

function showCriterion(criterion: Criterion): string {
  switch (criterion.kind) {
    case 'match': {
      const modifier = criterion.modifier === undefined ? '' : `:${criterion.modifier}`;
      return `${criterion.parameter.code}${modifier} ${criterion.operands.map(showOperand).join(' or ')}`;
    }
    case 'missing':
      return `${criterion.parameter.code} missing ${criterion.missing}`;
    case 'chain':
      return `${criterion.parameter.code} -> ${criterion.targets.map(({ type, criterion: next }) => `${type}(${showCriterion(next)})`).join(' | ')}`;
    case 'has':
      return `${criterion.type}.${criterion.parameter.code} <- (${showCriterion(criterion.criterion)})`;
    case 'full-text':
      return `${criterion.scope} "${criterion.text}"`;
    case 'list':
      return `list ${criterion.lists.join(' or ')}`;
    case 'filter':
      return showFilter(criterion.filter);
    case 'named-query':
      return `query ${criterion.name}`;
  }
}

function showFilter(filter: FilterExpression): string {
  if (filter.kind === 'not') return `not(${showFilter(filter.operand)})`;
  if (filter.kind !== 'comparison') return `(${showFilter(filter.left)} ${filter.kind} ${showFilter(filter.right)})`;
  const path = filter.path.map(({ name, filter: inner }) =>
    inner === undefined ? name : `${name}[${showFilter(inner)}]`,
  );
  return `${path.join('.')} ${filter.operator} ${filter.value}`;
}

const PARSED: readonly (readonly [type: string | undefined, query: string, ...criteria: string[]])[] = [
  ['Patient', ''],
  // Tokens
  ['Patient', 'gender=male', 'gender {any male}'],
  ['Patient', 'gender=male,female', 'gender {any male} or {any female}'],
  ['Patient', 'identifier=http://acme.org/id|12345', 'identifier {http://acme.org/id 12345}'],
  ['Patient', 'identifier=|12345', 'identifier {none 12345}'],
  ['Patient', 'identifier=http://acme.org/id|', 'identifier {http://acme.org/id any}'],
  ['Patient', 'identifier=a\\|b\\,c\\$d\\\\e', 'identifier {any a|b,c$d\\e}'],
  ['Patient', 'identifier:of-type=http://s|MR|446053', 'identifier:of-type {http://s MR 446053}'],
  ['Patient', 'gender:not=male', 'gender:not {any male}'],
  ['Observation', 'code:text=blood pressure', 'code:text "blood pressure"'],
  ['Observation', 'code:in=http://example.org/vs', 'code:in in http://example.org/vs'],
  ['Observation', 'code:not-in=http://example.org/vs', 'code:not-in in http://example.org/vs'],
  ['Observation', 'code:below=http://snomed.info/sct|235862008', 'code:below {http://snomed.info/sct 235862008}'],
  ['Patient', '_id=a,b', '_id {any a} or {any b}'],
  ['Patient', 'gender=male&gender=female', 'gender {any male}', 'gender {any female}'],
  // Strings
  ['Patient', 'name=eve', 'name "eve"'],
  ['Patient', 'name:contains=张,李', 'name:contains "张" or "李"'],
  ['Patient', 'family:exact=O\\,Neill', 'family:exact "O,Neill"'],
  // References
  ['Observation', 'subject=Patient/23', 'subject relative Patient/23 of Group/Device/Patient/Location'],
  ['Observation', 'patient=23', 'patient id 23 of Patient'],
  ['Observation', 'subject:Patient=23', 'subject id 23 of Patient'],
  ['Observation', 'subject:Patient=Patient/23', 'subject relative Patient/23 of Patient'],
  ['Observation', 'patient=https://a.org/fhir/Patient/23', 'patient absolute https://a.org/fhir/Patient/23 of Patient'],
  ['Observation', 'patient:identifier=http://s|1', 'patient:identifier {http://s 1}'],
  [
    'QuestionnaireResponse',
    'questionnaire=http://a.org/Questionnaire/1|2.0',
    'questionnaire canonical http://a.org/Questionnaire/1|2.0 of Questionnaire',
  ],
  [
    'Provenance',
    'patient=urn:uuid:c72aa430-2ddc-456e-7a09-dea8264671d8',
    'patient urn urn:uuid:c72aa430-2ddc-456e-7a09-dea8264671d8 of Patient',
  ],
  // Dates
  [
    'Patient',
    'birthdate=ge2010-01-01&birthdate=le2011-12-31',
    'birthdate ge 2010-01-01 to 2010-01-02 (day)',
    'birthdate le 2011-12-31 to 2012-01-01 (day)',
  ],
  [
    'Patient',
    '_lastUpdated=gt2024-05-17T10:30:00+08:00',
    '_lastUpdated gt 2024-05-17T02:30:00Z to 2024-05-17T02:30:01Z (second)',
  ],
  [
    'Observation',
    'date=2024,2025-01',
    'date eq 2024-01-01 to 2025-01-01 (year) or eq 2025-01-01 to 2025-02-01 (month)',
  ],
  // Numbers and quantities
  ['RiskAssessment', 'probability=gt0.8', 'probability gt 0.8 in 0.75 to 0.85'],
  ['RiskAssessment', 'probability=1e2', 'probability eq 100 in 95 to 105'],
  [
    'Observation',
    'value-quantity=5.4|http://unitsofmeasure.org|mg',
    'value-quantity eq 5.4 in 5.35 to 5.45 http://unitsofmeasure.org mg',
  ],
  ['Observation', 'value-quantity=ap4.00||mg', 'value-quantity ap 4 in 3.595 to 4.405 any mg'],
  ['Observation', 'value-quantity=le-5', 'value-quantity le -5 in -5.5 to -4.5 any any'],
  // URIs
  ['ValueSet', 'url:below=http://acme.org/fhir/,http://b', 'url:below http://acme.org/fhir/ or http://b'],
  ['ValueSet', 'url=urn:oid:1.2.3', 'url urn:oid:1.2.3'],
  // Composites and special
  [
    'Observation',
    'code-value-quantity=loinc|12907-2$ge150|http://u|mg',
    'code-value-quantity {loinc 12907-2} $ ge 150 in 149.5 to 150.5 http://u mg',
  ],
  ['Location', 'near=-83.694810|42.256500|11.20|km', 'near -83.69481 42.2565 11.2 km'],
  ['Location', 'near=1|2', 'near 1 2 - km'],
  // Missing
  ['Patient', 'gender:missing=true', 'gender missing true'],
  ['Observation', 'code-value-quantity:missing=false', 'code-value-quantity missing false'],
  // Chains
  ['DiagnosticReport', 'subject:Patient.name=peter', 'subject -> Patient(name "peter")'],
  ['DiagnosticReport', 'subject.name=peter', 'subject -> Patient(name "peter") | Location(name "peter")'],
  [
    'Observation',
    'patient.organization.name:exact=X',
    'patient -> Patient(organization -> Organization(name:exact "X"))',
  ],
  ['Observation', 'patient.gender:missing=true', 'patient -> Patient(gender missing true)'],
  ['Encounter', 'patient._has:Group:member:_id=102', 'patient -> Patient(Group.member <- (_id {any 102}))'],
  // _has
  ['Patient', '_has:Observation:patient:code=1234-5', 'Observation.patient <- (code {any 1234-5})'],
  [
    'Patient',
    '_has:Observation:patient:_has:AuditEvent:entity:agent=P1',
    `Observation.patient <- (AuditEvent.entity <- (agent id P1 of ${(registry.searchParametersOf('AuditEvent').get('agent')?.targets ?? []).join('/')}))`,
  ],
  [
    'Patient',
    '_has:Observation:patient:encounter.status:not=finished',
    'Observation.patient <- (encounter -> Encounter(status:not {any finished}))',
  ],
  // Parameters of every type
  ['Patient', '_text=heart OR lung', 'narrative "heart OR lung"'],
  [undefined, '_content=heart', 'content "heart"'],
  ['Patient', '_list=42,$current-allergies', 'list 42 or $current-allergies'],
  ['Patient', '_query=current-high-risk', 'query current-high-risk'],
  [
    'Patient',
    '_filter=given eq "pe ter" and birthdate ge 2014-10-10 or not (active eq false)',
    '((given eq pe ter and birthdate ge 2014-10-10) or not(active eq false))',
  ],
  [
    'Observation',
    '_filter=subject.name co "\\"x\\"" and related[type eq "has-component"].target pr false',
    '(subject.name co "x" and related[type eq has-component].target pr false)',
  ],
  [
    undefined,
    '_lastUpdated=gt2024&_tag=http://t|a',
    '_lastUpdated gt 2024-01-01 to 2025-01-01 (year)',
    '_tag {http://t a}',
  ],
];

for (const [type, query, ...expected] of PARSED) {
  test(`${type ?? ''}?${query}`, () => {
    const { branches } = search(type, query);
    assert.equal(branches.length, 1);
    assert.equal(branches[0]?.type, type);
    assert.deepEqual(branches[0]?.criteria.map(showCriterion), expected);
  });
}

const REFUSED: readonly (readonly [type: string | undefined, query: string, code: string, expression?: string])[] = [
  ['Patient', 'nonsense=1', 'unknown-parameter', 'nonsense'],
  ['Patient', 'nonsense:exact=1', 'unknown-parameter', 'nonsense:exact'],
  ['Patient', '=1', 'unknown-parameter', '(unreadable name)'],
  ['Patient', '张三=1', 'unknown-parameter', '(unreadable name)'],
  ['Patient', '_type=Patient', 'unknown-parameter', '_type'],
  [undefined, 'gender=male', 'unknown-parameter', 'gender'],
  ['Observation', 'patient.nonsense=1', 'unknown-parameter', 'patient.nonsense'],
  ['Patient', '_has:Observation:nonsense:code=1', 'unknown-parameter'],
  ['Patient', '_has:Observation:patient:nonsense=1', 'unknown-parameter'],
  ['Patient', 'gender=', 'invalid-parameter', 'gender'],
  ['Patient', 'gender=male,', 'invalid-parameter', 'gender'],
  ['Patient', 'gender=|', 'invalid-parameter'],
  ['Patient', 'gender=a|b|c', 'invalid-parameter'],
  ['Patient', 'gender:exact=male', 'invalid-parameter', 'gender:exact'],
  ['Patient', 'name:not=x', 'invalid-parameter'],
  ['Patient', 'birthdate:exact=2024', 'invalid-parameter'],
  ['Patient', 'gender:missing=yes', 'invalid-parameter', 'gender:missing'],
  ['Patient', 'gender:=male', 'invalid-parameter'],
  ['Patient', 'identifier:of-type=MR|446053', 'invalid-parameter'],
  ['Patient', 'identifier:of-type=http://s||446053', 'invalid-parameter'],
  ['Patient', 'birthdate=2024-13', 'invalid-parameter', 'birthdate'],
  ['Patient', 'birthdate=yesterday', 'invalid-parameter'],
  ['Patient', 'birthdate=ge', 'invalid-parameter'],
  ['Patient', 'birthdate=2024-05-17T10', 'invalid-parameter'],
  ['RiskAssessment', 'probability=high', 'invalid-parameter', 'probability'],
  ['RiskAssessment', 'probability=.5', 'invalid-parameter'],
  ['Observation', 'value-quantity=5|mg', 'invalid-parameter'],
  ['Observation', 'value-quantity=5|s|mg|x', 'invalid-parameter'],
  ['Observation', 'value-quantity=|s|mg', 'invalid-parameter'],
  ['Observation', 'code-value-quantity=a', 'invalid-parameter'],
  ['Observation', 'code-value-quantity=a$b', 'invalid-parameter'],
  ['Observation', 'code-value-quantity=a$1$2', 'invalid-parameter'],
  ['Observation', 'patient=a b', 'invalid-parameter', 'patient'],
  ['Observation', 'patient=Nonsense/1', 'invalid-parameter'],
  ['Observation', 'patient=#p', 'invalid-parameter'],
  ['Observation', 'patient=Patient?identifier=1', 'invalid-parameter'],
  ['Observation', 'subject:Patient=Group/1', 'invalid-parameter'],
  ['Observation', 'subject:Nonsense=1', 'invalid-parameter'],
  ['Observation', 'code.name=x', 'invalid-parameter', 'code.name'],
  ['Observation', 'patient:exact.name=x', 'invalid-parameter'],
  ['Observation', 'patient.birthdate=x', 'invalid-parameter', 'patient.birthdate'],
  ['Patient', '_has:Observation:patient=1', 'invalid-parameter'],
  ['Patient', '_has:Nonsense:patient:code=1', 'invalid-parameter'],
  ['Patient', '_has:Observation:code:code=1', 'invalid-parameter'],
  ['Location', '_has:Observation:patient:code=1', 'invalid-parameter'],
  ['Location', 'near=91|0', 'invalid-parameter'],
  ['Location', 'near=1', 'invalid-parameter'],
  ['Patient', '_text:exact=x', 'invalid-parameter'],
  ['Patient', '_list=a b', 'invalid-parameter', '_list'],
  ['Patient', '_filter=given eq', 'invalid-parameter', '_filter'],
  ['Patient', '_filter=given xx "a"', 'invalid-parameter'],
  ['Patient', '_filter=(given eq a', 'invalid-parameter'],
  ['Patient', `_filter=${'('.repeat(1000)}`, 'invalid-parameter'],
  ['Patient', '_count=-1', 'invalid-parameter', '_count'],
  ['Patient', '_count=ten', 'invalid-parameter'],
  ['Patient', '_count=1&_count=2', 'invalid-parameter', '_count'],
  ['Patient', '_sort=nonsense', 'unknown-parameter', '_sort'],
  ['Patient', '_sort=', 'unknown-parameter', '_sort'],
  ['Patient', '_total=some', 'invalid-parameter', '_total'],
  ['Patient', '_summary=some', 'invalid-parameter'],
  ['Patient', '_elements=a,,b', 'invalid-parameter'],
  ['Patient', '_contained=maybe', 'invalid-parameter'],
  ['Patient', '_containedType=x', 'invalid-parameter'],
  ['Patient', '_pretty=1', 'invalid-parameter'],
  ['Patient', '_since=x', 'invalid-parameter'],
  ['Patient', '_include=Observation', 'invalid-parameter', '_include'],
  ['Patient', '_include=Observation:code', 'invalid-parameter'],
  ['Patient', '_include=Nonsense:code', 'invalid-parameter'],
  ['Patient', '_revinclude=Observation:patient:Nonsense', 'invalid-parameter', '_revinclude'],
  ['Patient', '_include:recurse=Patient:organization', 'unknown-parameter', '_include:recurse'],
  [undefined, '_type=Nonsense', 'invalid-parameter', '_type'],
  [undefined, '_type=Patient,', 'invalid-parameter', '_type'],
  [undefined, '_type=Patient,Observation&gender=male', 'unknown-parameter', 'gender'],
];

for (const [type, query, code, expression] of REFUSED) {
  test(`refuses ${type ?? ''}?${query.slice(0, 60)}`, () => {
    assert.throws(
      () => search(type, query),
      (error) => {
        assert.ok(error instanceof MedSealError, String(error));
        assert.equal(error.code, code);
        if (expression !== undefined) assert.equal(error.issues[0]?.expression, expression);
        return true;
      },
    );
  });
}

test('errors never tell a value', () => {
  for (const query of [
    'birthdate=SECRET',
    'gender=a|b|SECRET',
    '_count=SECRET',
    '_include=SECRET',
    '_filter=SECRET',
    'name:SECRET x=1',
  ]) {
    assert.throws(
      () => search('Patient', query),
      (error) => error instanceof MedSealError && !JSON.stringify([error.message, error.issues]).includes('SECRET'),
      query,
    );
  }
});

test('lenient handling passes over what is unknown, and only that', () => {
  const query = search('Patient', 'nonsense=1&gender=male&_sort=-nonsense,birthdate&张=1&patient.x=1', 'lenient');
  assert.deepEqual(query.branches[0]?.criteria.map(showCriterion), ['gender {any male}']);
  assert.deepEqual(query.ignored, ['_sort', 'nonsense', '(unreadable name)', 'patient.x']);
  assert.deepEqual(query.control.sort, [{ code: 'birthdate', descending: false }]);
  assert.throws(() => search('Patient', 'birthdate=x', 'lenient'), /birthdate/);
});

test('result parameters are read', () => {
  const { control, branches } = search(
    'Patient',
    [
      '_count=20',
      '_sort=-birthdate,_id,_score',
      '_total=accurate',
      '_summary=data',
      '_elements=id,name.given',
      '_contained=both',
      '_containedType=contained',
      '_format=json',
      '_pretty=true',
      '_since=2024-05-17T10:30:00 08:00',
      '_at=2024-05',
      '_cursor=abc',
    ].join('&'),
  );
  assert.deepEqual(branches, [{ type: 'Patient', criteria: [] }]);
  assert.deepEqual(control, {
    count: 20,
    sort: [
      { code: 'birthdate', descending: true },
      { code: '_id', descending: false },
      { code: '_score', descending: false },
    ],
    total: 'accurate',
    summary: 'data',
    elements: ['id', 'name.given'],
    include: [],
    revinclude: [],
    contained: 'both',
    containedType: 'contained',
    format: 'json',
    pretty: true,
    since: Date.parse('2024-05-17T02:30:00Z'),
    at: { low: Date.parse('2024-05-01'), high: Date.parse('2024-06-01') },
    cursor: 'abc',
  });
});

test('includes name a reference, a target and whether they iterate', () => {
  const { control } = search(
    'MedicationRequest',
    '_include=MedicationRequest:patient&_include:iterate=Patient:general-practitioner:Practitioner&_include=*&_revinclude=Provenance:*',
  );
  const shown = [...control.include, ...control.revinclude].map(({ source, parameter, target, iterate }) => [
    source,
    parameter?.code,
    target,
    iterate,
  ]);
  assert.deepEqual(shown, [
    ['MedicationRequest', 'patient', undefined, false],
    ['Patient', 'general-practitioner', 'Practitioner', true],
    [undefined, undefined, undefined, false],
    ['Provenance', undefined, undefined, false],
  ]);
});

test('a search on several types has a branch for each', () => {
  const { branches } = search(undefined, '_type=Condition,Observation,Condition&code=x&_sort=-code');
  assert.deepEqual(
    branches.map(({ type, criteria }) => [type, ...criteria.map(showCriterion)]),
    [
      ['Condition', 'code {any x}'],
      ['Observation', 'code {any x}'],
    ],
  );
});

test('a chain that branches without end is refused', () => {
  const name = `${'focus.'.repeat(20)}code`;
  assert.throws(
    () => search('Task', `${name}=x`),
    (error) => error instanceof MedSealError && error.code === 'too-costly',
  );
});

test('whatever is sent, the answer is a query or a MedSealError', () => {
  const codes = [
    ...registry.searchParametersOf('Observation').keys(),
    ...registry.searchParametersOf('Patient').keys(),
  ];
  const words = [
    ...[
      '_count',
      '_sort',
      '_include',
      '_revinclude:iterate',
      '_has',
      '_filter',
      '_list',
      '_type',
      '_since',
      '_elements',
    ],
    ...[
      'missing',
      'exact',
      'contains',
      'not',
      'in',
      'of-type',
      'identifier',
      'iterate',
      'Patient',
      'Observation',
      'Task',
    ],
    ...[':', '.', ',', '|', '$', '\\', '(', ')', '[', ']', '"', ' ', '-', '/', '#', '?', '*', '\0', '\ud800', '张'],
    ...[
      'eq',
      'ge',
      'ap',
      '2024',
      '-05',
      'T10:30',
      '1e9',
      '0.',
      '999999999999',
      'urn:uuid:',
      'http://a/',
      'true',
      'and',
      'pr',
    ],
    ...['__proto__', 'constructor', 'toString', 'patient', 'subject', 'focus', 'code', 'eq "a"'],
  ];
  const word = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...codes), fc.string({ maxLength: 4 }));
  const text = fc.array(word, { maxLength: 6 }).map((parts) => parts.join(''));
  const name = fc.oneof(fc.constantFrom(...codes, '_count', '_sort', '_include', '_filter', '_list', '_type'), text);
  const type = fc.constantFrom(undefined, 'Patient', 'Observation', 'Task', 'Location', ...RESOURCE_TYPES.slice(0, 5));
  const property = fc.property(
    type,
    fc.array(fc.tuple(name, text), { maxLength: 4 }),
    fc.constantFrom('strict' as const, 'lenient' as const),
    (resourceType, pairs, handling) => {
      try {
        assert.ok(parseSearch(resourceType, pairs, registry, { handling, now: NOW }).branches.length > 0);
      } catch (error) {
        assert.ok(error instanceof MedSealError, String(error));
        assert.match(error.code, /^(?:unknown-parameter|invalid-parameter|too-costly)$/);
      }
    },
  );
  fc.assert(property, { numRuns: 20_000 });
});
