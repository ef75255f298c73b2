/** SearchParameters that institutions make themselves: accepted, indexed for, searched by, and gone again. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle, CapabilityStatement, OperationOutcome, Resource, SearchParameter } from '@medplum/fhirtypes';
import { medseal } from '../cli/medseal.ts';
import type { FhirClient } from '../support/fhir-client.ts';
import {
  guideParameter,
  idsOf,
  putParameter,
  reindexStatus,
  searchParameter,
  untilIndexed,
} from '../support/search-parameters.ts';
import { startWorld } from './world.ts';

const PROGRESS = 'https://medseal.org/fhir/StructureDefinition/visit-progress';
const CODES = 'https://example.org/progress';

async function put(client: FhirClient, resource: Resource): Promise<void> {
  const answer = await client.put(`${resource.resourceType}/${resource.id}`, resource);
  assert.ok(answer.status === 200 || answer.status === 201, answer.text);
}

function visit(id: string, progress: string): Resource {
  return {
    resourceType: 'Encounter',
    id,
    status: 'in-progress',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/p' },
    extension: [{ url: PROGRESS, valueCoding: { system: CODES, code: progress } }],
  };
}

function codesIn(statement: CapabilityStatement, type: string): readonly (string | undefined)[] {
  const found = statement.rest?.[0]?.resource?.find((one) => one.type === type);
  return (found?.searchParam ?? []).map(({ name }) => name);
}

suite('custom search parameters', async () => {
  const world = await startWorld();
  const hospital = world.as('hospital-a');
  const union = world.asAtUnion('hospital-a');
  await put(hospital, { resourceType: 'Patient', id: 'p' });
  await put(hospital, visit('waiting', 'waiting'));
  await put(hospital, visit('paid', 'paid'));

  test('of the guide: what is there is found once it is indexed, and what comes at once', async () => {
    await putParameter(hospital, guideParameter('Encounter-visit-progress'));
    await put(hospital, visit('paid-too', 'paid'));
    await untilIndexed(hospital);
    assert.deepEqual(await idsOf(hospital, 'Encounter?visit-progress=paid'), ['paid', 'paid-too']);
    assert.deepEqual(await idsOf(hospital, `Encounter?visit-progress=${CODES}|waiting`), ['waiting']);
    assert.deepEqual(await idsOf(hospital, 'Encounter?visit-progress:not=paid'), ['waiting']);
    assert.deepEqual(await idsOf(hospital, 'Encounter?visit-progress:missing=true'), []);
    assert.deepEqual(await idsOf(hospital, 'Patient?_has:Encounter:patient:visit-progress=paid'), ['p']);
    await put(hospital, visit('waiting', 'paid'));
    assert.deepEqual(await idsOf(hospital, 'Encounter?visit-progress=paid'), ['paid', 'paid-too', 'waiting']);
  });

  test('are told in the CapabilityStatement of their base alone', async () => {
    const of = async (client: FhirClient) => codesIn((await client.get('metadata')).json(), 'Encounter');
    assert.ok((await of(hospital)).includes('visit-progress'));
    assert.ok(!(await of(world.as('hospital-b', 'hospital-b'))).includes('visit-progress'));
    assert.ok(!(await of(union)).includes('visit-progress'));
  });

  test('are unknown at other bases and at the union', async () => {
    for (const client of [world.as('hospital-b', 'hospital-b'), union]) {
      const answer = await client.get('Encounter?visit-progress=paid');
      assert.equal(answer.status, 400);
      assert.equal(answer.json<OperationOutcome>().issue[0]?.details?.coding?.[0]?.code, 'unknown-parameter');
    }
  });

  test('find for others what they may see, and nothing else', async () => {
    assert.deepEqual(await idsOf(world.as('hospital-b'), 'Encounter?visit-progress=paid'), []);
    assert.deepEqual(await idsOf(world.as('patient:p'), 'Encounter?visit-progress=paid'), [
      'paid',
      'paid-too',
      'waiting',
    ]);
  });

  test('of each kind', async () => {
    const EXTENSION = 'https://example.org/number';
    await put(hospital, {
      resourceType: 'Patient',
      id: 'full',
      extension: [{ url: EXTENSION, valueDecimal: 1.5 }],
      contact: [
        {
          name: { family: 'Müller' },
          organization: { reference: 'Organization/o' },
          period: { start: '2020-03-04', end: '2020-05-06' },
        },
      ],
    });
    await put(hospital, { resourceType: 'Organization', id: 'o', name: 'x' });
    await put(hospital, {
      resourceType: 'Observation',
      id: 'range',
      status: 'final',
      code: { text: 'x' },
      component: ['a', 'b'].map((code) => ({
        code: { coding: [{ code }] },
        valueCodeableConcept: { coding: [{ code: `${code}-value` }] },
      })),
      referenceRange: [{ low: { value: 90, system: 'http://unitsofmeasure.org', code: 'mg/dL' } }],
    });
    const parameters: readonly [string, Partial<SearchParameter>][] = [
      ['contact-name', { type: 'string', expression: 'Patient.contact.name' }],
      ['contact-period', { type: 'date', expression: 'Patient.contact.period' }],
      ['contact-at', { type: 'reference', expression: 'Patient.contact.organization', target: ['Organization'] }],
      ['figure', { type: 'number', expression: `Patient.extension('${EXTENSION}').value.ofType(decimal)` }],
      ['about', { type: 'uri', expression: 'Patient.extension.url' }],
      [
        'interpreted',
        {
          type: 'composite',
          base: ['Observation'],
          expression: 'Observation.component',
          component: [
            { definition: 'http://hl7.org/fhir/SearchParameter/Observation-combo-code', expression: 'code' },
            {
              definition: 'http://hl7.org/fhir/SearchParameter/Observation-combo-value-concept',
              expression: 'value.ofType(CodeableConcept)',
            },
          ],
        },
      ],
      ['low', { type: 'quantity', base: ['Observation'], expression: 'Observation.referenceRange.low' }],
    ];
    const entry = parameters.map(([id, more]) => ({
      resource: searchParameter(id, more),
      request: { method: 'PUT', url: `SearchParameter/${id}` },
    }));
    const answer = await hospital.post('', { resourceType: 'Bundle', type: 'transaction', entry });
    assert.equal(answer.status, 200, answer.text);
    await untilIndexed(hospital);
    for (const question of [
      'Patient?contact-name=mull',
      'Patient?contact-name:exact=M%C3%BCller',
      'Patient?contact-period=ge2020-04',
      'Patient?contact-at=Organization/o',
      'Patient?figure=gt1',
      `Patient?about=${EXTENSION}`,
      `Patient?about:below=https://example.org`,
    ]) {
      assert.deepEqual(await idsOf(hospital, question), ['full'], question);
    }
    assert.deepEqual(await idsOf(hospital, 'Observation?low=0.90|http://unitsofmeasure.org|g/L'), ['range']);
    assert.deepEqual(await idsOf(hospital, 'Observation?interpreted=a$a-value'), ['range']);
    assert.deepEqual(await idsOf(hospital, 'Observation?interpreted=a$b-value'), [], 'of different components');
    assert.deepEqual(await idsOf(hospital, 'Patient?contact-name=x'), []);
    const sorted = await hospital.get('Patient?_sort=-figure');
    assert.equal(sorted.json<Bundle>().entry?.[0]?.resource?.id, 'full', 'those without it come last');
    const included = await hospital.get('Organization?_id=o&_revinclude=Patient:contact-at');
    assert.deepEqual(
      included.json<Bundle>().entry?.map(({ resource }) => resource?.id),
      ['o', 'full'],
    );
    assert.deepEqual(await idsOf(hospital, 'Patient?figure=lt1'), []);
  });

  test('are conditions of writes too', async () => {
    const resource = { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } };
    const none = await hospital.post('Encounter', resource, { 'if-none-exist': `visit-progress=${CODES}|paid` });
    assert.equal(none.status, 412, 'several have it');
  });

  test('that redefine another, of R4 or of the base, or do not compile are refused by element', async () => {
    for (const [id, more, element] of [
      ['gender', {}, 'SearchParameter.code'],
      ['mine', { code: 'visit-progress', base: ['Encounter'], expression: 'Encounter.status' }, 'SearchParameter.code'],
      ['mine', { expression: 'Patient.nothing' }, 'SearchParameter.expression'],
      ['mine', { type: 'composite' }, 'SearchParameter.component'],
    ] as const) {
      const answer = await hospital.put(
        `SearchParameter/${id}`,
        searchParameter(id, {
          ...more,
          base: [...(('base' in more && more.base) || ['Patient'])] as SearchParameter['base'],
        }),
      );
      assert.equal(answer.status, 422, answer.text);
      const [issue] = answer.json<OperationOutcome>().issue;
      assert.equal(issue?.details?.coding?.[0]?.code, 'invalid-search-parameter');
      assert.deepEqual(issue?.expression, [element]);
    }
    const twice = ['one', 'two'].map((id) => ({
      resource: searchParameter(id, { code: 'same' }),
      request: { method: 'PUT', url: `SearchParameter/${id}` },
    }));
    const both = await hospital.post('', { resourceType: 'Bundle', type: 'transaction', entry: twice });
    assert.equal(both.status, 422, 'two of a transaction');
  });

  test('two that claim one code at once: one is refused', async () => {
    const answers = await Promise.all(
      ['left', 'right', 'middle'].map((id) =>
        hospital.put(`SearchParameter/${id}`, searchParameter(id, { code: 'claimed' })),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 422, 422]);
  });

  test('that are drafts have no effect, and a draft of R4’s own is stored', async () => {
    await putParameter(hospital, searchParameter('birthdate', { status: 'draft' }));
    await putParameter(hospital, searchParameter('drafted', { status: 'draft' }));
    assert.equal((await hospital.get('Patient?drafted=x')).status, 400);
  });

  test('with a new expression find by it alone, once everything is indexed again', async () => {
    await put(hospital, { resourceType: 'Patient', id: 'w', maritalStatus: { text: 'x', coding: [{ code: 'W' }] } });
    await put(hospital, {
      resourceType: 'Patient',
      id: 'u',
      communication: [{ language: { coding: [{ code: 'W' }] } }],
    });
    await putParameter(hospital, searchParameter('changed', {}));
    await untilIndexed(hospital);
    assert.deepEqual(await idsOf(hospital, 'Patient?changed=W'), ['w']);
    await putParameter(hospital, searchParameter('changed', { expression: 'Patient.communication.language' }));
    await untilIndexed(hospital);
    assert.deepEqual(await idsOf(hospital, 'Patient?changed=W'), ['u']);
    assert.deepEqual(await idsOf(hospital, 'Patient?changed:missing=false'), ['u']);
  });

  test('described in other words stay searchable, without a run', async () => {
    const before = await reindexStatus(hospital);
    await putParameter(
      hospital,
      searchParameter('changed', { expression: 'Patient.communication.language', description: 'y' }),
    );
    assert.deepEqual(await reindexStatus(hospital), before);
    assert.deepEqual(await idsOf(hospital, 'Patient?changed=W'), ['u']);
  });

  test('retired or deleted are unknown at once, and their code is free', async () => {
    await putParameter(hospital, searchParameter('changed', { status: 'retired' }));
    assert.equal((await hospital.get('Patient?changed=W')).status, 400);
    await putParameter(hospital, searchParameter('other', { code: 'changed' }));
    await untilIndexed(hospital);
    assert.deepEqual(await idsOf(hospital, 'Patient?changed=W'), ['w']);
    assert.equal((await hospital.delete('SearchParameter/other')).status, 204);
    assert.equal((await hospital.get('Patient?changed=W')).status, 400);
    const statement = (await hospital.get('metadata')).json<CapabilityStatement>();
    assert.ok(!codesIn(statement, 'Patient').includes('changed'));
  });

  test('can be run again', async () => {
    const answer = await hospital.post('$reindex', { resourceType: 'Parameters' });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /"name":"run"/);
    await untilIndexed(hospital);
    const { runs } = await reindexStatus(hospital);
    assert.equal(runs.length, 1);
    assert.ok((runs[0]?.done ?? 0) >= 5 && runs[0]?.done === runs[0]?.total, JSON.stringify(runs));
    const { dataDirectory } = world.node;
    const command = await medseal(['reindex', '--institution', 'hospital-a'], { dataDirectory });
    assert.equal(command.stdout, `${runs[0]?.total} records indexed, 0 not to be opened\n`, command.stderr);
    const none = await medseal(['reindex', '--institution', 'hospital-b'], { dataDirectory });
    assert.equal(none.stdout, 'hospital-b has no active SearchParameter\n', none.stderr);
  });

  test('are indexed by in the thread that large Bundles go to', async () => {
    const entry = Array.from({ length: 30 }, (_, index) => ({
      resource: visit(`bulk-${index}`, 'bulk'),
      request: { method: 'PUT', url: `Encounter/bulk-${index}` },
    }));
    for (let time = 0; time < 3; time++) {
      const answer = await hospital.post('', { resourceType: 'Bundle', type: 'transaction', entry });
      assert.equal(answer.status, 200, answer.text);
    }
    const count = await hospital.get('Encounter?visit-progress=bulk&_summary=count');
    assert.equal(count.json<Bundle>().total, 30);
  });
});
