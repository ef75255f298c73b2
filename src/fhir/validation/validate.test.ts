import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hl7Examples, sharedBundles, sharedBundlesAbsent } from '../../../conformance/support/sample-data.ts';
import { MedSealError } from '../../errors.ts';
import { parseJson } from '../json/parse.ts';
import { createValidator } from './validate.ts';

const validator = createValidator();

/** Examples that break R4 themselves, and the first thing that is wrong with them. */
const INVALID_EXAMPLES: ReadonlyMap<string, string> = new Map([
  ['Questionnaire-qs1.json', 'Questionnaire.item[0].item[0].linkId is required (1..1)'],
  // An id of 78 characters, and the reference to it.
  [
    'SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json',
    'SearchParameter.id must be an id: 1 to 64 of A-Z, a-z, 0-9, - and .',
  ],
  [
    'ImplementationGuide-fhir.json',
    'ImplementationGuide.manifest.resource[11904].reference.reference must be a reference: Type/id, an absolute URL, urn:uuid:…, urn:oid:… or #id',
  ],
  // References to types that the element does not allow.
  ['DeviceMetric-example.json', 'DeviceMetric.parent must refer to Device'],
  [
    'DeviceUseStatement-example.json',
    'DeviceUseStatement.reasonReference[0] must refer to Condition or Observation or DiagnosticReport or DocumentReference or Media',
  ],
  ['MedicationRequest-medrx0301.json', 'MedicationRequest.dispenseRequest.performer must refer to Organization'],
  [
    'Observation-clinical-gender.json',
    'Observation.performer[0] must refer to Practitioner or PractitionerRole or Organization or CareTeam or Patient or RelatedPerson',
  ],
  // Parameters over extensions, published without the type that they are for.
  ...['CodeSystem', 'ValueSet'].flatMap((type) =>
    ['author', 'effective', 'end', 'keyword', 'workflow'].map(
      (name) =>
        [
          `SearchParameter-${type.toLowerCase()}-extensions-${type}-${name}.json`,
          'SearchParameter.base is required (1..*)',
        ] as const,
    ),
  ),
]);

test('HL7’s examples are valid, but for those that are not', () => {
  let count = 0;
  const found = new Map<string, string | undefined>();
  for (const { name, bytes } of hl7Examples()) {
    count++;
    const issues = validator.validate(parseJson(bytes));
    if (issues.length > 0) found.set(name, issues[0]?.diagnostics);
  }
  assert.ok(count > 5000);
  assert.deepEqual(found, new Map([...INVALID_EXAMPLES].toSorted()));
});

test('the shared bundles are valid, as a whole and each resource', { skip: sharedBundlesAbsent }, () => {
  let count = 0;
  for (const { name, bytes } of sharedBundles()) {
    const bundle = parseJson(bytes) as { entry: { resource: unknown }[] };
    assert.deepEqual(validator.validate(bundle), [], name);
    for (const { resource } of bundle.entry) {
      count++;
      validator.assertValid(resource, `${name}.entry[${count}].resource`);
    }
  }
  assert.equal(count, 6326);
});

describe('what is valid though it looks odd', () => {
  const valid: [string, object][] = [
    ['nothing but a resourceType', { resourceType: 'Patient' }],
    [
      'a required primitive by its sibling alone',
      {
        resourceType: 'Observation',
        _status: {
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
        },
        code: { text: 'x' },
      },
    ],
    ['a value with an id of its own', { resourceType: 'Patient', gender: 'male', _gender: { id: 'a' } }],
    [
      'a choice and its sibling',
      {
        resourceType: 'Patient',
        deceasedBoolean: true,
        _deceasedBoolean: { id: 'a' },
      },
    ],
    [
      'nulls that keep places',
      {
        resourceType: 'Patient',
        name: [
          { given: ['a', null], _given: [null, { id: 'x' }] },
          { given: ['a', 'b'], _given: [{ id: 'y' }] },
        ],
      },
    ],
    ['items that are in the sibling array alone', { resourceType: 'Patient', name: [{ _given: [{ id: 'x' }] }] }],
    [
      'decimals in their written form',
      {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        valueQuantity: { value: JSON.rawJSON('1.0') },
      },
    ],
    [
      'a resource in a resource in a resource',
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: { resourceType: 'Patient', contained: [{ resourceType: 'Organization', name: 'x' }] } }],
      },
    ],
    [
      'a bound concept with further codings',
      {
        resourceType: 'Condition',
        subject: { reference: 'Patient/1' },
        clinicalStatus: { coding: [{ code: 'x' }, { code: 'active' }] },
      },
    ],
    [
      'a bound concept of which an extension says why there is none',
      {
        resourceType: 'Condition',
        subject: { reference: 'Patient/1' },
        clinicalStatus: {
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
        },
      },
    ],
    [
      'a currency, of which R4 has no list',
      { resourceType: 'Invoice', status: 'issued', totalNet: { value: 1, currency: 'CNY' } },
    ],
    [
      'references that do not tell where they lead',
      {
        resourceType: 'Patient',
        contained: [{ resourceType: 'Practitioner', id: 'x' }],
        managingOrganization: { display: 'words' },
        generalPractitioner: [
          { reference: '#x' },
          { reference: 'http://example.org/x' },
          { identifier: { value: '1' } },
        ],
      },
    ],
    [
      'references that a transaction resolves',
      {
        resourceType: 'Patient',
        generalPractitioner: [
          { reference: 'Practitioner?identifier=a|b' },
          { reference: 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520' },
        ],
      },
    ],
  ];
  for (const [name, resource] of valid) {
    test(name, () => assert.deepEqual(validator.validate(resource), []));
  }
});

test('an issue of a part is told from the whole', () => {
  const resource = { resourceType: 'Patient', name: [{ family: 1 }] };
  const [issue, ...others] = validator.validate(resource, 'Bundle.entry[3].resource');
  assert.deepEqual(others, []);
  assert.equal(issue?.expression, 'Bundle.entry[3].resource.name[0].family');
  assert.match(issue?.diagnostics ?? '', /^Bundle\.entry\[3\]\.resource\.name\[0\]\.family must be a JSON string/);
});

test('assertValid throws an invalid-resource error with all issues', () => {
  assert.throws(
    () => validator.assertValid({ resourceType: 'Observation', valueString: 'x', valueInteger: 'Secret' }),
    (error) => {
      assert.ok(error instanceof MedSealError);
      assert.equal(error.code, 'invalid-resource');
      assert.equal(error.status, 422);
      assert.equal(error.issues.length, 4);
      assert.match(error.message, /and 3 more errors$/);
      assert.doesNotMatch(JSON.stringify([error.message, error.issues]), /Secret/);
      return true;
    },
  );
  assert.doesNotThrow(() =>
    validator.assertValid({ resourceType: 'Observation', status: 'final', code: { text: 'x' } }),
  );
});

test('at most 50 issues are told, and of a very large resource the first alone', () => {
  const names = (count: number) => Array.from({ length: count }, () => ({ family: 1 }));
  assert.equal(validator.validate({ resourceType: 'Patient', name: names(49) }).length, 49);
  assert.equal(validator.validate({ resourceType: 'Patient', name: names(1000) }).length, 50);
  const [first, ...others] = validator.validate({ resourceType: 'Patient', name: names(10_000) });
  assert.equal(first?.expression, 'Patient.name[0].family');
  assert.deepEqual(others, []);
});

test('an error does not linger: the next resource is judged alone', () => {
  const bad = { resourceType: 'Patient', contained: [{ resourceType: 'Organization', x: 1 }], y: 1 };
  const good = { resourceType: 'Patient', contained: [{ resourceType: 'Organization', name: 'x' }] };
  const before = validator.validate(bad);
  assert.equal(before.length, 2);
  assert.deepEqual(validator.validate(good), []);
  assert.deepEqual(validator.validate(bad), before);
});
