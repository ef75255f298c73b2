import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { OperationOutcome, Patient } from '@medplum/fhirtypes';
import type { Answer } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { entries, newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/resource-operation-validate.html */
export function validation(target: Promise<RestTarget>): void {
  const clause = 'resource-operation-validate.html';
  const outcome = (answer: Answer): readonly string[] =>
    shown<OperationOutcome>(answer as Answer).issue.map(({ severity, code, expression }) =>
      `${severity} ${code} ${expression?.[0] ?? ''}`.trim(),
    );
  const good: Patient = { resourceType: 'Patient', id: 'a', gender: 'female' };
  const bad = { ...good, birthDate: 'yesterday' };
  const wrap = (resource: object | undefined, mode?: string): object => ({
    resourceType: 'Parameters',
    parameter: [
      ...(resource === undefined ? [] : [{ name: 'resource', resource }]),
      ...(mode === undefined ? [] : [{ name: 'mode', valueCode: mode }]),
    ],
  });

  suite('$validate', () => {
    for (const [name, path, body, expected] of [
      ['a valid resource', 'Patient/$validate', good, ['information informational']],
      ['a valid one in Parameters', 'Patient/$validate', wrap(good), ['information informational']],
      ['an invalid one', 'Patient/$validate', bad, ['error value Patient.birthDate']],
      ['an invalid one in Parameters', 'Patient/$validate', wrap(bad), ['error value Patient.birthDate']],
      ['mode=create', 'Patient/$validate', wrap({ resourceType: 'Patient' }, 'create'), ['information informational']],
      ['mode=create in the URL', 'Patient/$validate?mode=create', good, ['information informational']],
      ['mode=update', 'Patient/a/$validate', wrap(good, 'update'), ['information informational']],
      ['mode=update under another id', 'Patient/b/$validate', wrap(good, 'update'), ['error value Patient.id']],
      ['an instance without an id', 'Patient/b/$validate', { resourceType: 'Patient' }, ['error value Patient.id']],
      ['mode=delete', 'Patient/a/$validate', wrap(undefined, 'delete'), ['information informational']],
      ['mode=delete of a type', 'Patient/$validate', wrap(undefined, 'delete'), ['error required']],
      ['nothing', 'Patient/$validate', wrap(undefined), ['error required']],
      ['another type', 'Patient/$validate', { resourceType: 'Group' }, ['error invalid Patient.resourceType']],
      ['what is no resource', 'Patient/$validate', [], ['error invalid Patient.resourceType']],
    ] as const) {
      check(clause, `${name}: 200 with what was found`, async () => {
        const { client } = await target;
        const found = outcome(await client.post(path, body as object));
        assert.deepEqual(
          found.filter((one) => !one.startsWith('warning')),
          expected,
        );
      });
    }

    for (const [type, changes, element] of [
      ['Patient', { gender: 'woman' }, 'Patient.gender'],
      ['Patient', { name: [{ use: 'officious' }] }, 'Patient.name[0].use'],
      ['Patient', { telecom: [{ system: 'pigeon', value: '1' }] }, 'Patient.telecom[0].system'],
      ['Observation', { status: 'done', code: { text: 'x' } }, 'Observation.status'],
      ['Encounter', { status: 'over', class: { code: 'AMB' } }, 'Encounter.status'],
      ['Condition', { subject: { reference: 'Patient/1' }, clinicalStatus: { text: 'x' } }, 'Condition.clinicalStatus'],
      [
        'MedicationRequest',
        { status: 'active', intent: 'wish', subject: { display: 'x' }, medicationCodeableConcept: { text: 'x' } },
        'MedicationRequest.intent',
      ],
    ] as const) {
      check(
        'terminologies.html#required',
        `a code that is not bound is told of, and not stored: ${element}`,
        async () => {
          const { client } = await target;
          const resource = { resourceType: type, ...changes };
          assert.deepEqual(outcome(await client.post(`${type}/$validate`, resource)), [
            `error code-invalid ${element}`,
          ]);
          refused(await client.post(type, resource), 422, 'invalid-resource', element);
        },
      );
    }

    for (const [type, changes, element] of [
      ['Patient', { managingOrganization: { reference: 'Practitioner/1' } }, 'Patient.managingOrganization'],
      [
        'Observation',
        { status: 'final', code: { text: 'x' }, encounter: { reference: 'Patient/1' } },
        'Observation.encounter',
      ],
      ['Condition', { subject: { reference: 'Practitioner/1' } }, 'Condition.subject'],
      [
        'Appointment',
        { status: 'proposed', participant: [{ status: 'accepted', actor: { reference: 'Group/1' } }] },
        'Appointment.participant[0].actor',
      ],
    ] as const) {
      check(
        'references.html',
        `a reference to a type that is not allowed is told of, and not stored: ${element}`,
        async () => {
          const { client } = await target;
          const resource = { resourceType: type, ...changes };
          assert.deepEqual(outcome(await client.post(`${type}/$validate`, resource)), [`error value ${element}`]);
          refused(await client.post(type, resource), 422, 'invalid-resource', element);
        },
      );
    }

    for (const [element, value] of [
      ['birthDate', '2024-02-30'],
      ['birthDate', '24-01-01'],
      ['active', 'true'],
      ['deceasedDateTime', '2024-01-01T00:00:00'],
      ['deceasedDateTime', '2024-01-01 00:00'],
      ['multipleBirthInteger', 1.5],
      ['id', 'not an id'],
      ['language', ''],
      ['implicitRules', 'a b'],
    ] as const) {
      check('datatypes.html#primitive', `${JSON.stringify(value)} is no ${element}`, async () => {
        const { client } = await target;
        const [found = ''] = outcome(
          await client.post('Patient/$validate', { resourceType: 'Patient', [element]: value }),
        );
        assert.match(
          found,
          new RegExp(`^error (?:value|structure) Patient.${element.replace(/(?:DateTime|Integer)$/, '')}$`),
        );
      });
    }

    check(clause, 'all that is wrong is told, each with its element, and nothing is stored', async () => {
      const { client } = await target;
      const wrong = { resourceType: 'Observation', status: 7, valueString: 'x', valueBoolean: true, nonsense: 1 };
      const found = outcome(await client.post('Observation/$validate', wrong));
      for (const element of ['status', 'value', 'nonsense', 'code'])
        assert.ok(
          found.some((one) => one.endsWith(`Observation.${element}`)),
          `${element}: ${found}`,
        );
      const scope = newScope(client);
      await client.post('Patient/$validate', { ...good, meta: { tag: [scope.tag] } });
      assert.deepEqual(entries(await client.get(`Patient?${scope.query}`)), []);
    });

    check(clause, 'a profile that is not known is told as such', async () => {
      const { client } = await target;
      const found = outcome(await client.post('Patient/$validate?profile=http://example.org/p', good));
      assert.ok(
        found.some((one) => one.startsWith('error') && one.includes('not-found')),
        `${found}`,
      );
    });

    check(clause, 'invariants are checked', async () => {
      const { client } = await target;
      const wrong = { ...good, contact: [{ gender: 'male' }] };
      const found = outcome(await client.post('Patient/$validate', wrong));
      assert.ok(
        found.some((one) => one.endsWith('Patient.contact[0]')),
        `${found}`,
      );
    });

    for (const [path, body, code] of [
      ['Patient/$validate?mode=nonsense', good, 'invalid-parameter'],
      ['Patient/$validate?nonsense=1', good, 'unknown-parameter'],
      ['Patient/$validate', '{', 'malformed-json'],
    ] as const) {
      check(clause, `${path} that makes no sense is 400 (${code})`, async () => {
        const { client } = await target;
        refused(await client.post(path, body), 400, code);
      });
    }
  });
}
