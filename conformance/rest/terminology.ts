import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { Parameters, ParametersParameter, ValueSet } from '@medplum/fhirtypes';
import type { Answer } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { created, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const GENDERS = 'http://hl7.org/fhir/administrative-gender';
const OWN: ValueSet = {
  resourceType: 'ValueSet',
  status: 'active',
  url: 'urn:own',
  compose: { include: [{ system: GENDERS, concept: [{ code: 'male' }, { code: 'other' }] }] },
};

/** http://hl7.org/fhir/R4/terminology-service.html, over what is packaged */
export function terminology(target: Promise<RestTarget>): void {
  suite('terminology', () => {
    expansion(target);
    validation(target);
  });
}

const codes = (answer: Answer) => (shown<ValueSet>(answer).expansion?.contains ?? []).map(({ code }) => code);
const post = (...parameter: ParametersParameter[]): Parameters => ({ resourceType: 'Parameters', parameter });

function expansion(target: Promise<RestTarget>): void {
  const clause = 'valueset-operation-expand.html';
  for (const [url, expected] of [
    [GENDER, ['male', 'female', 'other', 'unknown']],
    [`${GENDER}|4.0.1`, ['male', 'female', 'other', 'unknown']],
    ['http://hl7.org/fhir/ValueSet/days-of-week', ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'all']],
    ['http://hl7.org/fhir/ValueSet/link-type', ['replaced-by', 'replaces', 'refer', 'seealso']],
    ['http://terminology.hl7.org/ValueSet/v3-ConfidentialityClassification', ['U', 'L', 'M', 'N', 'R', 'V']],
  ] as const) {
    check(clause, `$expand of ${url}`, async () => {
      const { client } = await target;
      const answer = await client.get(`ValueSet/$expand?url=${encodeURIComponent(url)}`);
      if (url.includes('days-of-week') && codes(answer).length === 7)
        assert.deepEqual(codes(answer), expected.slice(0, 7));
      else assert.deepEqual(codes(answer).toSorted(), expected.toSorted());
      const { expansion: told, url: named } = shown<ValueSet>(answer);
      assert.equal(named, url.split('|')[0]);
      assert.match(told?.timestamp ?? '', /^\d{4}-/);
      assert.equal(told?.total, codes(answer).length);
    });
  }

  check(clause, 'filter, count and offset', async () => {
    const { client } = await target;
    const of = async (query: string) => codes(await client.get(`ValueSet/$expand?url=${GENDER}&${query}`));
    assert.deepEqual(await of('filter=FEM'), ['female']);
    assert.deepEqual(await of('count=2'), ['male', 'female']);
    assert.deepEqual(await of('count=2&offset=1'), ['female', 'other']);
    assert.deepEqual(await of('offset=9'), []);
    const answer = await client.get(`ValueSet/$expand?url=${GENDER}&count=0`);
    assert.deepEqual([codes(answer), shown<ValueSet>(answer).expansion?.total], [[], 4]);
  });

  check(clause, 'of a value set that is sent, and of one that is stored', async () => {
    const { client } = await target;
    const sent = await client.post('ValueSet/$expand', post({ name: 'valueSet', resource: OWN }));
    assert.deepEqual(codes(sent), ['male', 'other']);
    const { id } = created<ValueSet>(await client.post('ValueSet', OWN));
    assert.deepEqual(codes(await client.get(`ValueSet/${id}/$expand`)), ['male', 'other']);
    refused(await client.get('ValueSet/none/$expand'), 404, 'not-found');
  });

  for (const [name, query, status, code] of [
    ['a value set that is not there', 'url=urn:none', 404, 'not-found'],
    ['another version', `url=${GENDER}|9`, 404, 'not-found'],
    ['no url', 'filter=x', 400, 'invalid-parameter'],
    ['an unknown parameter', `url=${GENDER}&nonsense=1`, 400, 'unknown-parameter'],
    ['a count that is none', `url=${GENDER}&count=x`, 400, 'invalid-parameter'],
    ['all of SNOMED CT', 'url=http://hl7.org/fhir/ValueSet/clinical-findings', 422, 'terminology-not-available'],
  ] as const) {
    check(clause, `refused: ${name}`, async () => {
      const { client } = await target;
      refused(await client.get(`ValueSet/$expand?${query}`), status, code);
    });
  }
}

function validation(target: Promise<RestTarget>): void {
  const result = (answer: Answer) => {
    const { parameter = [] } = shown<Parameters>(answer);
    const of = (name: string) => parameter.find((one) => one.name === name);
    return [of('result')?.valueBoolean, of('display')?.valueString];
  };
  for (const [type, url] of [
    ['ValueSet', GENDER],
    ['CodeSystem', GENDERS],
  ] as const) {
    const clause = `${type.toLowerCase()}-operation-validate-code.html`;
    for (const [name, query, expected] of [
      ['a code of it', 'code=male', [true, 'Male']],
      ['with its system', `code=male&system=${GENDERS}`, [true, 'Male']],
      ['with its display', 'code=male&display=Male', [true, 'Male']],
      ['with another display', 'code=male&display=Man', [false, 'Male']],
      ['a code of another system', 'code=male&system=urn:x', [false, undefined]],
      ['a code that is not there', 'code=man', [false, undefined]],
    ] as const) {
      check(clause, `${type}/$validate-code: ${name}`, async () => {
        const { client } = await target;
        assert.deepEqual(result(await client.get(`${type}/$validate-code?url=${url}&${query}`)), expected);
      });
    }

    check(clause, `${type}/$validate-code of a Coding and of a CodeableConcept`, async () => {
      const { client } = await target;
      const ask = async (parameter: ParametersParameter) =>
        result(await client.post(`${type}/$validate-code`, post({ name: 'url', valueUri: url }, parameter)));
      const coding = (code: string) => ({ system: GENDERS, code });
      assert.deepEqual(await ask({ name: 'coding', valueCoding: coding('other') }), [true, 'Other']);
      assert.deepEqual(await ask({ name: 'coding', valueCoding: coding('x') }), [false, undefined]);
      const concept = { coding: [coding('x'), coding('female')] };
      assert.deepEqual(await ask({ name: 'codeableConcept', valueCodeableConcept: concept }), [true, 'Female']);
    });

    check(clause, `${type}/$validate-code refuses what it cannot tell`, async () => {
      const { client } = await target;
      refused(await client.get(`${type}/$validate-code?url=${url}`), 400, 'invalid-parameter', 'code');
      refused(await client.get(`${type}/$validate-code?code=male`), 400, 'invalid-parameter', 'url');
      refused(await client.get(`${type}/$validate-code?url=urn:none&code=x`), 404, 'not-found', 'url');
      refused(await client.get(`${type}/$validate-code?url=${url}&code=x&nonsense=1`), 400, 'unknown-parameter');
      const broken = [{ valueCoding: { system: GENDERS, code: 1 } }, { valueCodeableConcept: { coding: [null] } }];
      for (const value of broken) {
        const name = 'valueCoding' in value ? 'coding' : 'codeableConcept';
        const parameter = [
          { name: 'url', valueUri: url },
          { name, ...value },
        ];
        const body = { resourceType: 'Parameters', parameter };
        refused(await client.post(`${type}/$validate-code`, body), 400, 'invalid-parameter', 'coding');
      }
    });
  }

  check('valueset-operation-validate-code.html', 'of a stored ValueSet', async () => {
    const { client } = await target;
    const { id } = created<ValueSet>(await client.post('ValueSet', OWN));
    const ask = async (code: string) => result(await client.get(`ValueSet/${id}/$validate-code?code=${code}`));
    assert.deepEqual(await ask('other'), [true, 'Other']);
    assert.deepEqual(await ask('female'), [false, undefined]);
  });
}
