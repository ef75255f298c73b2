import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseJson } from '../json/parse.ts';
import { createValidator } from './validate.ts';

const validator = createValidator();

/** JSON of a valid resource of which some top-level properties are replaced, added, or (undefined) taken away. */
function variant(base: object, changes: object): unknown {
  return parseJson(Buffer.from(JSON.stringify({ ...base, ...changes })));
}

const patient = (changes: object) => variant({ resourceType: 'Patient' }, changes);
const observation = (changes: object) =>
  variant({ resourceType: 'Observation', status: 'final', code: { text: 'x' } }, changes);
const CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const condition = (changes: object) =>
  variant({ resourceType: 'Condition', subject: { reference: 'Patient/1' } }, changes);
const bundle = (resource: unknown) =>
  variant({ resourceType: 'Bundle', type: 'collection' }, { entry: [{ resource }] });
const json = (text: string): unknown => JSON.parse(text);

const EXTENSION = 'http://example.org/extension';

/** Name, resource, and for each expected issue its code and expression. */
const table: [string, unknown, ...(readonly [string, string])[]][] = [
  // The resource itself.
  ['a string', 'Patient', ['structure', 'Resource']],
  ['null', null, ['structure', 'Resource']],
  ['an array', [{ resourceType: 'Patient' }], ['structure', 'Resource']],
  ['a number in its written form', parseJson(Buffer.from('1.0')), ['structure', 'Resource']],
  ['no resourceType', {}, ['structure', 'Resource']],
  ['an unknown resourceType', { resourceType: 'Person2' }, ['structure', 'Resource']],
  ['an abstract resourceType', { resourceType: 'DomainResource' }, ['structure', 'Resource']],
  ['a datatype as resourceType', { resourceType: 'Quantity', value: 1 }, ['structure', 'Resource']],
  ['a resourceType that is no string', { resourceType: ['Patient'] }, ['structure', 'Resource']],
  ['a resourceType from the prototype', { resourceType: 'constructor' }, ['structure', 'Resource']],
  ['an inherited resourceType of R4B', { resourceType: 'SubscriptionStatus' }, ['structure', 'Resource']],

  // Required elements.
  ['a required primitive missing', observation({ status: undefined }), ['required', 'Observation.status']],
  ['a required object missing', observation({ code: undefined }), ['required', 'Observation.code']],
  [
    'two required elements missing',
    { resourceType: 'Observation' },
    ['required', 'Observation.status'],
    ['required', 'Observation.code'],
  ],
  [
    'a required choice missing',
    { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/1' } },
    ['required', 'MedicationRequest.medication'],
  ],
  [
    'a required element of a backbone',
    observation({ component: [{ valueString: 'x' }] }),
    ['required', 'Observation.component[0].code'],
  ],
  ['a required repeating element', { resourceType: 'Linkage' }, ['required', 'Linkage.item']],
  [
    'a required element of a datatype',
    patient({ extension: [{ valueString: 'x' }] }),
    ['required', 'Patient.extension[0].url'],
  ],
  [
    'a required element replaced by its sibling’s id only in name',
    observation({ status: undefined, _statu: { id: 'a' } }),
    ['structure', 'Observation._statu'],
    ['required', 'Observation.status'],
  ],

  // Unknown elements.
  ['an unknown element', patient({ nickname: 'x' }), ['structure', 'Patient.nickname']],
  ['an unknown element of a datatype', patient({ name: [{ familie: 'x' }] }), ['structure', 'Patient.name[0].familie']],
  ['an element of R5', patient({ genderIdentity: 'x' }), ['structure', 'Patient.genderIdentity']],
  ['an element of another case', patient({ birthdate: '2000-01-01' }), ['structure', 'Patient.birthdate']],
  ['a choice without its type', observation({ value: 'x' }), ['structure', 'Observation.value']],
  [
    'a choice of a type that it does not have',
    observation({ valueAddress: { text: 'x' } }),
    ['structure', 'Observation.valueAddress'],
  ],
  [
    'a resourceType in a datatype',
    observation({ code: { resourceType: 'CodeableConcept' } }),
    ['structure', 'Observation.code.resourceType'],
  ],
  ['__proto__ as an own key', json('{"resourceType":"Patient","__proto__":{"active":true}}'), ['structure', 'Patient']],
  [
    'constructor as an own key',
    json('{"resourceType":"Patient","constructor":1}'),
    ['structure', 'Patient.constructor'],
  ],
  ['a key that is no name', patient({ '<script>': 1 }), ['structure', 'Patient']],
  ['a sibling of an object', observation({ _code: { id: 'a' } }), ['structure', 'Observation._code']],
  ['a sibling of the id', patient({ _id: { id: 'a' } }), ['structure', 'Patient._id']],
  [
    'a sibling of Extension.url',
    patient({ extension: [{ url: EXTENSION, _url: { id: 'a' }, valueString: 'x' }] }),
    ['structure', 'Patient.extension[0]._url'],
  ],
  [
    'contained in a resource that has none',
    variant({ resourceType: 'Binary', contentType: 'a/b' }, { contained: [] }),
    ['structure', 'Binary.contained'],
  ],

  // Cardinality.
  ['an array where one is allowed', observation({ code: [{ text: 'x' }] }), ['structure', 'Observation.code']],
  ['an array where one primitive is allowed', patient({ gender: ['male'] }), ['structure', 'Patient.gender']],
  ['one where an array must be', patient({ name: { family: 'x' } }), ['structure', 'Patient.name']],
  ['one primitive where an array must be', patient({ name: [{ given: 'x' }] }), ['structure', 'Patient.name[0].given']],
  ['an array in an array', patient({ name: [[{ family: 'x' }]] }), ['structure', 'Patient.name[0]']],

  // Nothing where something must be.
  ['null', patient({ gender: null }), ['structure', 'Patient.gender']],
  ['null for an object', observation({ code: null }), ['structure', 'Observation.code']],
  ['null for an array', patient({ name: null }), ['structure', 'Patient.name']],
  ['null in an array of objects', patient({ name: [null] }), ['structure', 'Patient.name[0]']],
  [
    'null in an array of primitives',
    patient({ name: [{ given: ['a', null] }] }),
    ['structure', 'Patient.name[0].given[1]'],
  ],
  [
    'null in both arrays of a primitive',
    patient({ name: [{ given: [null], _given: [null] }] }),
    ['structure', 'Patient.name[0].given[0]'],
  ],
  ['an empty array', patient({ name: [] }), ['structure', 'Patient.name']],
  ['an empty array of primitives', patient({ name: [{ given: [] }] }), ['structure', 'Patient.name[0].given']],
  ['an empty object', observation({ code: {} }), ['structure', 'Observation.code']],
  ['an empty object in an array', patient({ name: [{}] }), ['structure', 'Patient.name[0]']],
  ['an empty sibling', patient({ _gender: {} }), ['structure', 'Patient.gender']],
  ['an empty string', patient({ gender: '' }), ['value', 'Patient.gender']],

  // Wrong JSON types.
  ['a number for a string', patient({ name: [{ family: 1 }] }), ['structure', 'Patient.name[0].family']],
  ['a string for a boolean', patient({ active: 'true' }), ['structure', 'Patient.active']],
  ['a number for a boolean', patient({ active: 1 }), ['structure', 'Patient.active']],
  [
    'a string for a decimal',
    observation({ valueQuantity: { value: '1.0' } }),
    ['structure', 'Observation.value.value'],
  ],
  ['a string for an integer', observation({ valueInteger: '1' }), ['structure', 'Observation.value']],
  ['an object for a primitive', patient({ gender: { value: 'male' } }), ['structure', 'Patient.gender']],
  ['a string for an object', observation({ code: 'x' }), ['structure', 'Observation.code']],
  [
    'a number in its written form for an object',
    json('{"a":1}') && parseJson(Buffer.from('{"resourceType":"Observation","status":"final","code":1.0}')),
    ['structure', 'Observation.code'],
  ],
  [
    'a number in its written form for a string',
    parseJson(Buffer.from('{"resourceType":"Patient","gender":1.0}')),
    ['structure', 'Patient.gender'],
  ],
  ['a string for a sibling', patient({ _gender: 'x' }), ['structure', 'Patient.gender']],
  [
    'an object that poses as a number',
    observation({ valueQuantity: { value: { rawJSON: '1.0' } } }),
    ['structure', 'Observation.value.value'],
  ],

  // Formats.
  ['an id of other characters', patient({ id: 'a_b' }), ['value', 'Patient.id']],
  ['an id of 65 characters', patient({ id: 'x'.repeat(65) }), ['value', 'Patient.id']],
  ['a day that does not exist', patient({ birthDate: '2019-02-30' }), ['value', 'Patient.birthDate']],
  ['a date in another order', patient({ birthDate: '30/01/2019' }), ['value', 'Patient.birthDate']],
  [
    'a dateTime without a zone',
    observation({ effectiveDateTime: '2019-01-01T10:00:00' }),
    ['value', 'Observation.effective'],
  ],
  ['an instant without a time', observation({ issued: '2019-01-01' }), ['value', 'Observation.issued']],
  ['a time without seconds', observation({ valueTime: '10:00' }), ['value', 'Observation.value']],
  ['a code with a space before', observation({ status: ' final' }), ['value', 'Observation.status']],
  ['a code with two spaces inside', observation({ status: 'a  b' }), ['value', 'Observation.status']],
  ['a URI with a space', patient({ implicitRules: 'http://a b' }), ['value', 'Patient.implicitRules']],
  ['a control character', patient({ name: [{ family: 'a\u0000' }] }), ['value', 'Patient.name[0].family']],
  ['no base64', patient({ photo: [{ data: 'a*b=' }] }), ['value', 'Patient.photo[0].data']],
  ['a negative unsignedInt', patient({ photo: [{ size: -1 }] }), ['value', 'Patient.photo[0].size']],
  ['a positiveInt of zero', patient({ telecom: [{ rank: 0 }] }), ['value', 'Patient.telecom[0].rank']],
  ['a fraction for an integer', observation({ valueInteger: 1.5 }), ['value', 'Observation.value']],
  [
    'an integer in another form',
    parseJson(Buffer.from('{"resourceType":"Patient","multipleBirthInteger":1.0}')),
    ['value', 'Patient.multipleBirth'],
  ],
  ['an integer of more than 32 bits', observation({ valueInteger: 2147483648 }), ['value', 'Observation.value']],
  [
    'a reference to nothing',
    observation({ subject: { reference: 'Patient' } }),
    ['value', 'Observation.subject.reference'],
  ],
  [
    'a reference to an unknown type',
    observation({ subject: { reference: 'Human/1' } }),
    ['value', 'Observation.subject.reference'],
  ],
  ['a narrative that is no XHTML', patient({ text: { status: 'generated', div: 'x' } }), ['value', 'Patient.text.div']],

  // Choices.
  ['two types of a choice', observation({ valueString: 'x', valueInteger: 1 }), ['structure', 'Observation.value']],
  [
    'two types of a choice, one by its sibling',
    observation({ valueString: 'x', _valueBoolean: { id: 'a' } }),
    ['structure', 'Observation.value'],
  ],
  [
    'two types of an extension’s value',
    patient({ extension: [{ url: EXTENSION, valueCode: 'x', valueUri: 'x' }] }),
    ['structure', 'Patient.extension[0].value'],
  ],

  // Siblings and extensions.
  ['an unknown key in a sibling', observation({ _status: { value: 'x' } }), ['structure', 'Observation.status.value']],
  [
    'an unknown key in a sibling of a choice',
    observation({ valueString: 'x', _valueString: { a: 1 } }),
    ['structure', 'Observation.value.a'],
  ],
  [
    'an extension in a sibling without url',
    observation({ _status: { extension: [{ valueCode: 'x' }] } }),
    ['required', 'Observation.status.extension[0].url'],
  ],
  [
    'a bad value in a nested extension',
    patient({ extension: [{ url: EXTENSION, extension: [{ url: 'a', valueDate: 'x' }] }] }),
    ['value', 'Patient.extension[0].extension[0].value'],
  ],
  [
    'an unknown key in a repeating sibling',
    patient({ name: [{ given: ['a', 'b'], _given: [null, { x: 1 }] }] }),
    ['structure', 'Patient.name[0].given[1].x'],
  ],
  [
    'one sibling where an array must be',
    patient({ name: [{ given: ['a'], _given: { id: 'a' } }] }),
    ['structure', 'Patient.name[0].given'],
  ],
  [
    'an extension on XHTML',
    patient({
      text: { status: 'generated', div: '<div/>', _div: { extension: [{ url: EXTENSION, valueCode: 'a' }] } },
    }),
    ['structure', 'Patient.text.div.extension'],
  ],
  [
    'an extension in the wrong place',
    patient({ extension: { url: EXTENSION, valueCode: 'x' } }),
    ['structure', 'Patient.extension'],
  ],

  // Resources within resources.
  [
    'a bad contained resource',
    patient({ contained: [{ resourceType: 'Organization', name: 1 }] }),
    ['structure', 'Patient.contained[0].name'],
  ],
  ['a contained resource without a type', patient({ contained: [{ id: 'a' }] }), ['structure', 'Patient.contained[0]']],
  [
    'a contained resource of an unknown type',
    patient({ contained: [{ resourceType: 'Org' }] }),
    ['structure', 'Patient.contained[0]'],
  ],
  [
    'contained in contained',
    patient({ contained: [{ resourceType: 'Organization', contained: [{ resourceType: 'Patient' }] }] }),
    ['structure', 'Patient.contained[0].contained'],
  ],
  [
    'a bad resource in a bundle',
    bundle({ resourceType: 'Observation', status: 'final', code: { text: 1 } }),
    ['structure', 'Bundle.entry[0].resource.code.text'],
  ],
  ['no resource in a bundle', bundle({ id: 'a' }), ['structure', 'Bundle.entry[0].resource']],
  ['an array for a resource', bundle([]), ['structure', 'Bundle.entry[0].resource']],
  [
    'a bundle in a bundle',
    bundle({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'Patient', a: 1 } }] }),
    ['structure', 'Bundle.entry[0].resource.entry[0].resource.a'],
  ],
  [
    'a bad resource in Parameters',
    variant(
      { resourceType: 'Parameters' },
      { parameter: [{ name: 'a', part: [{ name: 'b', resource: { resourceType: 'Patient', active: 1 } }] }] },
    ),
    ['structure', 'Parameters.parameter[0].part[0].resource.active'],
  ],
  [
    'a bad outcome',
    variant(
      { resourceType: 'Bundle', type: 'batch-response' },
      { entry: [{ response: { status: '200', outcome: { resourceType: 'OperationOutcome' } } }] },
    ),
    ['required', 'Bundle.entry[0].response.outcome.issue'],
  ],

  // Required bindings.
  ['a code that is not bound', patient({ gender: 'woman' }), ['code-invalid', 'Patient.gender']],
  ['a code in another case', patient({ gender: 'Female' }), ['code-invalid', 'Patient.gender']],
  [
    'a code of a datatype',
    patient({ name: [{ use: 'official' }, { use: 'officious' }] }),
    ['code-invalid', 'Patient.name[1].use'],
  ],
  [
    'a code of a backbone, in a list',
    variant({ resourceType: 'HealthcareService' }, { availableTime: [{ daysOfWeek: ['mon', 'Monday'] }] }),
    ['code-invalid', 'HealthcareService.availableTime[0].daysOfWeek[1]'],
  ],
  [
    'a concept without a code that is bound',
    condition({ clinicalStatus: { coding: [{ system: CLINICAL, code: 'cured' }] } }),
    ['code-invalid', 'Condition.clinicalStatus'],
  ],
  [
    'a concept of another system',
    condition({ clinicalStatus: { coding: [{ system: 'urn:x', code: 'active' }] } }),
    ['code-invalid', 'Condition.clinicalStatus'],
  ],
  [
    'a concept in words alone',
    condition({ clinicalStatus: { text: 'active' } }),
    ['code-invalid', 'Condition.clinicalStatus'],
  ],

  // Where references may lead.
  [
    'a reference to another type',
    patient({ managingOrganization: { reference: 'Practitioner/1' } }),
    ['value', 'Patient.managingOrganization'],
  ],
  [
    'an absolute one, in a list',
    patient({ generalPractitioner: [{ reference: 'http://example.org/fhir/Patient/1' }] }),
    ['value', 'Patient.generalPractitioner[0]'],
  ],
  [
    'one that only its type tells of',
    observation({ subject: { type: 'Practitioner', identifier: { value: '1' } } }),
    ['value', 'Observation.subject'],
  ],
  [
    'one of the same transaction, of another type',
    observation({
      subject: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000000', type: 'Practitioner' },
    }),
    ['value', 'Observation.subject'],
  ],
  [
    'a conditional one',
    observation({ encounter: { reference: 'Patient?identifier=1' } }),
    ['value', 'Observation.encounter'],
  ],

  // Recursive types by contentReference.
  [
    'a questionnaire’s item in an item',
    variant(
      { resourceType: 'Questionnaire', status: 'draft' },
      { item: [{ linkId: '1', type: 'group', item: [{ linkId: '2' }] }] },
    ),
    ['required', 'Questionnaire.item[0].item[0].type'],
  ],
];

describe('a resource that is not valid', () => {
  for (const [name, resource, ...expected] of table) {
    test(name, () => {
      const issues = validator.validate(resource);
      const found = issues.map(({ code, expression }) => [code, expression]);
      assert.deepEqual(found.toSorted(), expected.toSorted(), JSON.stringify(issues, null, 1));
      for (const issue of issues) {
        assert.equal(issue.severity, 'error');
        assert.match(issue.diagnostics, /^[A-Z]/);
      }
    });
  }
});

test('issues tell what to do', () => {
  const sentences: [unknown, string][] = [
    [observation({ status: undefined }), 'Observation.status is required (1..1)'],
    [
      observation({ effectiveDateTime: 'soon' }),
      'Observation.effective (effectiveDateTime) must be a dateTime: a date, or YYYY-MM-DDThh:mm:ss with a time zone',
    ],
    [
      observation({ valueString: 'x', valueInteger: 1 }),
      'Observation.value must have one type only, not both valueString and valueInteger',
    ],
    [
      observation({ value: 'x' }),
      'Observation.value is not an element of Observation: write valueQuantity, valueCodeableConcept, valueString or alike',
    ],
    [patient({ gender: 'x' }), 'Patient.gender must be one of male, female, other, unknown'],
    [
      condition({ clinicalStatus: { text: 'x' } }),
      'Condition.clinicalStatus must have a coding that is one of active, recurrence, relapse, inactive, remission, resolved',
    ],
    [
      patient({ managingOrganization: { reference: 'Patient/1' } }),
      'Patient.managingOrganization must refer to Organization',
    ],
    [patient({ name: {} }), 'Patient.name must be an array, since the element may repeat'],
    [patient({ active: 'true' }), 'Patient.active must be a JSON boolean'],
    [observation({ code: [] }), 'Observation.code must be a single object, not an array'],
  ];
  for (const [resource, sentence] of sentences) {
    const issues = validator.validate(resource);
    assert.ok(
      issues.some(({ diagnostics }) => diagnostics === sentence),
      JSON.stringify(issues),
    );
  }
});
