import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patientReferences } from './compartment.ts';
import { formatReference } from './reference.ts';

type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };
type Row = readonly [description: string, resource: Resource, patients: readonly string[], undeterminable?: true];

const P1 = { reference: 'Patient/1' };
const P2 = { reference: 'Patient/2' };
const DOCTOR = { reference: 'Practitioner/1' };
const URN = 'urn:uuid:c72aa430-2ddc-456e-7a09-dea8264671d8';

const TYPES: readonly Row[] = [
  ['a Patient is its own', { resourceType: 'Patient', id: '1' }, ['Patient/1']],
  [
    'with a link',
    { resourceType: 'Patient', id: '1', link: [{ other: P2, type: 'seealso' }] },
    ['Patient/2', 'Patient/1'],
  ],
  ['Account.subject', { resourceType: 'Account', subject: [P1, P2, DOCTOR] }, ['Patient/1', 'Patient/2']],
  [
    'AllergyIntolerance',
    { resourceType: 'AllergyIntolerance', patient: P1, recorder: DOCTOR, asserter: P2 },
    ['Patient/1', 'Patient/2'],
  ],
  [
    'Appointment.participant',
    { resourceType: 'Appointment', participant: [{ actor: P1 }, { actor: DOCTOR }, {}] },
    ['Patient/1'],
  ],
  ['AuditEvent', { resourceType: 'AuditEvent', agent: [{ who: DOCTOR }], entity: [{ what: P1 }] }, ['Patient/1']],
  ['Basic', { resourceType: 'Basic', subject: P1, author: P2 }, ['Patient/1', 'Patient/2']],
  [
    'CarePlan',
    { resourceType: 'CarePlan', subject: P1, activity: [{ detail: { performer: [P2] } }] },
    ['Patient/1', 'Patient/2'],
  ],
  [
    'CareTeam',
    { resourceType: 'CareTeam', subject: P1, participant: [{ member: P2 }, { member: DOCTOR }] },
    ['Patient/1', 'Patient/2'],
  ],
  ['Claim', { resourceType: 'Claim', patient: P1, payee: { party: P2 } }, ['Patient/1', 'Patient/2']],
  [
    'Communication',
    { resourceType: 'Communication', subject: P1, sender: DOCTOR, recipient: [P2] },
    ['Patient/1', 'Patient/2'],
  ],
  [
    'Composition',
    { resourceType: 'Composition', subject: P1, author: [DOCTOR], attester: [{ party: P2 }] },
    ['Patient/1', 'Patient/2'],
  ],
  ['Condition', { resourceType: 'Condition', subject: P1, asserter: P2 }, ['Patient/1', 'Patient/2']],
  ['Consent', { resourceType: 'Consent', patient: P1, performer: [P2] }, ['Patient/1']],
  [
    'Coverage',
    { resourceType: 'Coverage', policyHolder: P2, beneficiary: P1, payor: [{ reference: 'Organization/1' }] },
    ['Patient/1', 'Patient/2'],
  ],
  ['DocumentReference', { resourceType: 'DocumentReference', subject: P1, author: [DOCTOR] }, ['Patient/1']],
  ['Encounter', { resourceType: 'Encounter', subject: P1, participant: [{ individual: DOCTOR }] }, ['Patient/1']],
  [
    'Group.member',
    { resourceType: 'Group', member: [{ entity: P1 }, { entity: P2 }, { entity: { reference: 'Device/1' } }] },
    ['Patient/1', 'Patient/2'],
  ],
  ['Immunization', { resourceType: 'Immunization', patient: P1 }, ['Patient/1']],
  ['Invoice', { resourceType: 'Invoice', subject: P1, recipient: P2 }, ['Patient/1', 'Patient/2']],
  [
    'List',
    { resourceType: 'List', subject: P1, entry: [{ item: P2 }, { item: { reference: 'Condition/1' } }] },
    ['Patient/1', 'Patient/2'],
  ],
  [
    'MedicationDispense',
    { resourceType: 'MedicationDispense', subject: P1, receiver: [P2] },
    ['Patient/1', 'Patient/2'],
  ],
  ['Observation', { resourceType: 'Observation', subject: P1, performer: [P1, DOCTOR] }, ['Patient/1']],
  ['Observation of a Group', { resourceType: 'Observation', subject: { reference: 'Group/1' } }, []],
  ['Person', { resourceType: 'Person', link: [{ target: P1 }, { target: DOCTOR }] }, ['Patient/1']],
  ['Procedure', { resourceType: 'Procedure', subject: P1, performer: [{ actor: DOCTOR }] }, ['Patient/1']],
  ['Provenance', { resourceType: 'Provenance', target: [P1, { reference: 'Observation/1' }] }, ['Patient/1']],
  [
    'QuestionnaireResponse',
    { resourceType: 'QuestionnaireResponse', subject: P1, author: P2 },
    ['Patient/1', 'Patient/2'],
  ],
  ['RelatedPerson', { resourceType: 'RelatedPerson', patient: P1 }, ['Patient/1']],
  ['ResearchSubject', { resourceType: 'ResearchSubject', individual: P1 }, ['Patient/1']],
  ['Schedule', { resourceType: 'Schedule', actor: [P1, DOCTOR] }, ['Patient/1']],
  ['ServiceRequest', { resourceType: 'ServiceRequest', subject: P1, performer: [P2] }, ['Patient/1', 'Patient/2']],
  ['a Task, which R4 leaves out', { resourceType: 'Task', for: P1 }, []],
  ['a type outside of the compartment', { resourceType: 'Medication', manufacturer: { display: 'x' } }, []],
  ['an unknown type', { resourceType: 'Nonsense', patient: P1 }, []],
];

const FORMS: readonly Row[] = [
  [
    'an absolute reference',
    { resourceType: 'Consent', patient: { reference: 'https://a.org/fhir/Patient/1' } },
    ['https://a.org/fhir/Patient/1'],
  ],
  ['a version is left out', { resourceType: 'Consent', patient: { reference: 'Patient/1/_history/3' } }, ['Patient/1']],
  [
    'the same patient once',
    { resourceType: 'Condition', subject: { reference: 'Patient/1/_history/3' }, asserter: P1 },
    ['Patient/1'],
  ],
  [
    'the same id elsewhere is another patient',
    { resourceType: 'Condition', subject: P1, asserter: { reference: 'https://a.org/fhir/Patient/1' } },
    ['Patient/1', 'https://a.org/fhir/Patient/1'],
  ],
  ['an identifier alone', { resourceType: 'Consent', patient: { identifier: { value: '1' } } }, [], true],
  [
    'a display alone',
    { resourceType: 'Observation', subject: P1, performer: [{ display: 'mother' }] },
    ['Patient/1'],
    true,
  ],
  [
    'an identifier of a Patient',
    { resourceType: 'Observation', subject: { type: 'Patient', identifier: { value: '1' } } },
    [],
    true,
  ],
  [
    'an identifier of a Group',
    { resourceType: 'Observation', subject: { type: 'Group', identifier: { value: '1' } } },
    [],
  ],
  [
    'an identifier of a Practitioner, by URL',
    {
      resourceType: 'Observation',
      subject: P1,
      performer: [{ type: 'http://hl7.org/fhir/StructureDefinition/Practitioner', display: 'x' }],
    },
    ['Patient/1'],
  ],
  ['a type that does not exist', { resourceType: 'Observation', subject: { type: 'Person2', display: 'x' } }, [], true],
  [
    'an extension alone',
    { resourceType: 'Observation', subject: { extension: [{ url: 'x', valueCode: 'unknown' }] } },
    [],
    true,
  ],
  [
    'a conditional reference to a Patient',
    { resourceType: 'Consent', patient: { reference: 'Patient?identifier=1' } },
    [],
    true,
  ],
  [
    'a conditional reference to others',
    { resourceType: 'Observation', subject: P1, performer: [{ reference: 'Practitioner?identifier=1' }] },
    ['Patient/1'],
  ],
  ['a urn', { resourceType: 'Consent', patient: { reference: URN } }, [], true],
  [
    'a urn of another type',
    { resourceType: 'Observation', subject: P1, performer: [{ reference: URN, type: 'Organization' }] },
    ['Patient/1'],
  ],
  ['an unknown URL', { resourceType: 'Consent', patient: { reference: 'https://a.org/people/1' } }, [], true],
  ['no reference at all', { resourceType: 'Consent', patient: { reference: 'somebody' } }, [], true],
  ['a Patient without id', { resourceType: 'Patient' }, [], true],
  ['nothing', { resourceType: 'Observation' }, []],
];

const CONTAINED_PATIENT = { resourceType: 'Patient', id: 'p' };
const CONTAINED_DOCTOR = { resourceType: 'Practitioner', id: 'd' };

const NESTED: readonly Row[] = [
  [
    'a contained Practitioner',
    { resourceType: 'Observation', contained: [CONTAINED_DOCTOR], subject: P1, performer: [{ reference: '#d' }] },
    ['Patient/1'],
  ],
  [
    'a contained Patient',
    { resourceType: 'Observation', contained: [CONTAINED_PATIENT], subject: { reference: '#p' } },
    [],
    true,
  ],
  [
    'a contained Patient that nothing refers to',
    { resourceType: 'Observation', contained: [CONTAINED_PATIENT], subject: P1 },
    ['Patient/1'],
    true,
  ],
  [
    'a contained Patient that says who it is',
    {
      resourceType: 'Observation',
      contained: [{ ...CONTAINED_PATIENT, link: [{ other: P2, type: 'refer' }] }],
      subject: { reference: '#p' },
    },
    ['Patient/2'],
  ],
  ['a fragment that leads nowhere', { resourceType: 'Observation', subject: { reference: '#x' } }, [], true],
  [
    'the container',
    {
      resourceType: 'Patient',
      id: '1',
      contained: [{ resourceType: 'RelatedPerson', id: 'r', patient: { reference: '#' } }],
    },
    ['Patient/1'],
  ],
  [
    'a contained Observation of another patient',
    {
      resourceType: 'DiagnosticReport',
      subject: P1,
      contained: [{ resourceType: 'Observation', id: 'o', subject: P2 }],
    },
    ['Patient/1', 'Patient/2'],
  ],
  [
    'a contained Coverage with a display alone',
    {
      resourceType: 'ExplanationOfBenefit',
      patient: P1,
      contained: [{ resourceType: 'Coverage', beneficiary: P1, payor: [{ display: 'x' }] }],
    },
    ['Patient/1'],
  ],
  [
    'a Bundle’s entries',
    {
      resourceType: 'Bundle',
      entry: [
        { resource: { resourceType: 'Consent', patient: P1 } },
        { resource: { resourceType: 'Patient', id: '2' } },
        {},
      ],
    },
    ['Patient/1', 'Patient/2'],
  ],
  [
    'an entry under the URL of another server',
    {
      resourceType: 'Bundle',
      entry: [{ fullUrl: 'https://a.org/fhir/Consent/1', resource: { resourceType: 'Consent', patient: P1 } }],
    },
    ['https://a.org/fhir/Patient/1'],
  ],
  [
    'a Patient under the URL of another server',
    {
      resourceType: 'Bundle',
      entry: [{ fullUrl: 'https://a.org/fhir/Patient/9', resource: { resourceType: 'Patient', id: '1' } }],
    },
    ['https://a.org/fhir/Patient/9'],
  ],
  [
    'a Patient under a urn',
    {
      resourceType: 'Bundle',
      entry: [
        { fullUrl: URN, resource: { resourceType: 'Patient', id: '1' } },
        { resource: { resourceType: 'Consent', patient: { reference: URN } } },
      ],
    },
    [],
    true,
  ],
  [
    'a Practitioner under a urn',
    {
      resourceType: 'Bundle',
      entry: [
        { fullUrl: URN, resource: { resourceType: 'Practitioner' } },
        { resource: { resourceType: 'Observation', subject: P1, performer: [{ reference: URN }] } },
      ],
    },
    ['Patient/1'],
  ],
  [
    'a Bundle within a Bundle',
    {
      resourceType: 'Bundle',
      entry: [
        { resource: { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Consent', patient: P1 } }] } },
      ],
    },
    ['Patient/1'],
  ],
  [
    'Parameters',
    {
      resourceType: 'Parameters',
      parameter: [{ name: 'a', part: [{ name: 'b', resource: { resourceType: 'Consent', patient: P1 } }] }],
    },
    ['Patient/1'],
  ],
];

for (const [description, resource, patients, undeterminable = false] of [...TYPES, ...FORMS, ...NESTED]) {
  test(`${description}: ${patients.join(', ') || 'no patient'}${undeterminable ? ', undeterminable' : ''}`, () => {
    const found = patientReferences(resource);
    assert.deepEqual(found.references.map(formatReference).sort(), [...patients].sort());
    assert.equal(found.undeterminable, undeterminable);
  });
}

test('what has another shape than its type says is no error', () => {
  for (const shape of ['x', 7, null, [], [null], [[]], {}, [{}], [{ reference: 7 }], { reference: null }]) {
    for (const type of ['Patient', 'Observation', 'Bundle', 'List', 'Parameters', 'Group']) {
      const resource = {
        resourceType: type,
        contained: shape,
        entry: shape,
        subject: shape,
        parameter: shape,
        link: shape,
      };
      assert.doesNotThrow(() => patientReferences(resource));
    }
  }
});
