/** How strictly an institution has what is written checked: structure, or invariants, profiles and references too. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { OperationOutcome, Parameters, ValueSet } from '@medplum/fhirtypes';
import { medseal } from '../cli/medseal.ts';
import { startWorld } from './world.ts';

const PROFILE = 'https://medseal.org/fhir/StructureDefinition/medseal-patient';
const REGISTERED = {
  resourceType: 'Patient',
  meta: { profile: [PROFILE] },
  identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: '11010519491231002X' }],
  name: [{ text: 'x' }],
  gender: 'female',
  birthDate: '1949-12-31',
};
const { birthDate: _, ...WITHOUT_BIRTH_DATE } = REGISTERED;
/** pat-1: a contact has a name, an address or a way to reach them. */
const NOBODY_TO_CALL = { resourceType: 'Patient', contact: [{ gender: 'male' }] };
const DANGLING = {
  resourceType: 'Encounter',
  status: 'planned',
  class: { code: 'AMB' },
  subject: { reference: 'Patient/nobody-7' },
};

suite('modes of an institution', async () => {
  const world = await startWorld();
  const { dataDirectory } = world.node;
  const client = world.as('hospital-a');
  const set = (...flags: readonly string[]) =>
    medseal(['institution', 'set', 'hospital-a', ...flags], { dataDirectory });

  async function refusals(path: string, body: object): Promise<readonly (string | undefined)[]> {
    const answer = await client.post(path, body);
    if (answer.status < 300) return [];
    assert.ok(answer.status === 422 || answer.status === 400, `${answer.status}`);
    return answer.json<OperationOutcome>().issue.map(({ expression }) => expression?.[0]);
  }

  test('base: what is R4 by its structure is written, and references need not resolve', async () => {
    for (const body of [REGISTERED, WITHOUT_BIRTH_DATE, NOBODY_TO_CALL, DANGLING]) {
      assert.deepEqual(await refusals(body.resourceType, body), []);
    }
  });

  test('strict: invariants and claimed profiles too, alone and in a Bundle, each told with its element', async () => {
    const { exitCode, stdout } = await set('--validation', 'strict');
    assert.deepEqual([exitCode, stdout], [0, 'institution hospital-a: validation strict, references unchecked\n']);
    assert.deepEqual(await refusals('Patient', REGISTERED), []);
    assert.deepEqual(await refusals('Patient', WITHOUT_BIRTH_DATE), ['Patient.birthDate']);
    assert.deepEqual(await refusals('Patient', NOBODY_TO_CALL), ['Patient.contact[0]']);
    const request = { method: 'POST', url: 'Patient' };
    const entry = [REGISTERED, WITHOUT_BIRTH_DATE].map((resource) => ({ resource, request }));
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    assert.deepEqual(await refusals('', bundle), ['Bundle.entry[1].resource.birthDate']);
  });

  test('strict: what claims no profile, or one that is not known, is not held to one', async () => {
    const { meta: __, ...plain } = WITHOUT_BIRTH_DATE;
    assert.deepEqual(await refusals('Patient', plain), []);
    assert.deepEqual(await refusals('Patient', { ...plain, meta: { profile: ['http://example.org/p'] } }), []);
  });

  test('the value sets that the profiles are bound to can be asked about', async () => {
    const set = 'https://medseal.org/fhir/ValueSet/visit-progress';
    const expanded = await client.get(`ValueSet/$expand?url=${set}`);
    const { url, version, expansion } = expanded.json<ValueSet>();
    assert.deepEqual([expanded.status, url, version], [200, set, '0.1.0']);
    const [first] = expansion?.contains ?? [];
    const system = 'https://medseal.org/fhir/CodeSystem/visit-progress';
    assert.equal(first?.system, system);
    const judged = async (path: string) => (await client.get(path)).json<Parameters>().parameter?.[0]?.valueBoolean;
    for (const [code, known] of [
      [first?.code ?? '', true],
      ['nonsense', false],
    ] as const) {
      assert.equal(await judged(`ValueSet/$validate-code?url=${set}&system=${system}&code=${code}`), known);
      assert.equal(await judged(`CodeSystem/$validate-code?url=${system}&code=${code}`), known);
    }
    // One that draws on HL7's systems too.
    const actions = await client.get('ValueSet/$expand?url=https://medseal.org/fhir/ValueSet/consent-action|0.1.0');
    const codes = actions.json<ValueSet>().expansion?.contains?.map(({ code, display }) => [code, display]);
    assert.deepEqual(codes?.[0], ['access', 'Access']);
    assert.ok(codes?.some(([code]) => code === 'count'));
  });

  test('checked: a literal reference must be to what is there', async () => {
    const { stdout } = await set('--references', 'checked', '--validation', 'base');
    assert.equal(stdout, 'institution hospital-a: validation base, references checked\n');
    assert.deepEqual(await refusals('Encounter', DANGLING), ['Encounter.subject']);
    await client.put('Patient/nobody-7', { resourceType: 'Patient', id: 'nobody-7' });
    assert.deepEqual(await refusals('Encounter', DANGLING), []);
    assert.match((await set('--references', 'unchecked')).stdout, /references unchecked/);
    assert.deepEqual(await refusals('Encounter', { ...DANGLING, subject: { reference: 'Patient/nobody-8' } }), []);
  });

  test('the mode outlives a restart, and is of its institution alone', async () => {
    await set('--validation', 'strict');
    await world.node.restart();
    assert.deepEqual(await refusals('Patient', WITHOUT_BIRTH_DATE), ['Patient.birthDate']);
    const other = world.as('hospital-b', 'hospital-b');
    assert.equal((await other.post('Patient', WITHOUT_BIRTH_DATE)).status, 201);
  });

  test('misuse is told', async () => {
    const wrong = await set('--references', 'sometimes');
    assert.deepEqual([wrong.exitCode, wrong.stdout], [2, '']);
    assert.match((await set('--validation', 'lax')).stderr, /validation is base or strict/);
    const nowhere = await medseal(['institution', 'set', 'nowhere', '--validation', 'base'], { dataDirectory });
    assert.match(nowhere.stderr, /keeps the records of no institution of this name/);
  });
});
