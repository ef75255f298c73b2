import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { CapabilityStatement, CapabilityStatementRestResourceSearchParam, Patient } from '@medplum/fhirtypes';
import { fhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

/** http://hl7.org/fhir/R4/http.html#mime-type, #capabilities, #Status-Codes */
export function negotiation(target: Promise<RestTarget>): void {
  suite('content negotiation and capabilities', () => {
    check('http.html#capabilities', 'the CapabilityStatement is open to all, and tells what is there', async () => {
      const { client } = await target;
      const statement = shown<CapabilityStatement>(await fhirClient(client.base).get('metadata'));
      assert.deepEqual([statement.fhirVersion, statement.implementation?.url], ['4.0.1', client.base]);
      const [rest] = statement.rest ?? [];
      const patient = rest?.resource?.find(({ type }) => type === 'Patient');
      assert.ok(patient?.interaction?.some(({ code }) => code === 'search-type'));
      assert.ok(patient?.searchParam?.some(({ name }) => name === 'identifier'));
      assert.ok((rest?.resource?.length ?? 0) > 140);
      assert.ok(rest?.interaction?.some(({ code }) => code === 'transaction'));
      assert.ok(rest?.interaction?.some(({ code }) => code === 'search-system'));
      assert.ok(rest?.compartment?.includes('http://hl7.org/fhir/CompartmentDefinition/patient'));
    });

    check(
      'http.html#capabilities',
      'every search parameter, modifier and include that the CapabilityStatement promises is answered',
      async () => {
        const { client } = await target;
        const statement = shown<CapabilityStatement>(await fhirClient(client.base).get('metadata'));
        for (const type of ['Patient', 'Observation', 'Group', 'AuditEvent']) {
          const resource = statement.rest?.[0]?.resource?.find((one) => one.type === type);
          const asked = [
            ...(resource?.searchParam ?? []).flatMap((parameter) => questionsOf(parameter)),
            (resource?.searchInclude ?? []).map((name) => `_include=${name}`).join('&'),
            (resource?.searchRevInclude ?? []).map((name) => `_revinclude=${name}`).join('&'),
          ];
          assert.ok(asked.length > 9, `${type} ${asked.length}`);
          for (const question of asked) {
            const answer = await client.get(`${type}?${question}&_count=1`);
            assert.equal(answer.status, 200, `${type}?${question} is promised: ${answer.text}`);
          }
        }
      },
    );

    check(
      'http.html#capabilities',
      'what is not in the CapabilityStatement is refused, and what is refused is not in it',
      async () => {
        const { client } = await target;
        const statement = shown<CapabilityStatement>(await fhirClient(client.base).get('metadata'));
        for (const { type, searchParam = [] } of statement.rest?.[0]?.resource ?? []) {
          const names = searchParam.map(({ name }) => name);
          assert.ok(names.includes('_id'), type);
          for (const name of ['_text', '_content', '_query', 'near'])
            assert.ok(!names.includes(name), `${type} ${name}`);
        }
      },
    );

    check(
      'https://hl7.org/fhir/smart-app-launch/conformance.html',
      'the SMART configuration is open to all, and names where tokens come from',
      async () => {
        const { client } = await target;
        const answer = await fhirClient(client.base).get('.well-known/smart-configuration');
        assert.equal(answer.status, 200);
        const configuration = answer.json<{
          token_endpoint: string;
          capabilities: string[];
          token_endpoint_auth_methods_supported: string[];
        }>();
        assert.match(configuration.token_endpoint, /^https?:/);
        assert.ok(configuration.capabilities.includes('client-confidential-asymmetric'));
        assert.ok(configuration.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
      },
    );

    check('http.html#mime-type', 'Accept and _format: JSON is answered, anything else 406', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      for (const accept of [
        'application/fhir+json',
        'application/json',
        '*/*',
        'application/*',
        'text/html, */*;q=0.1',
        'application/fhir+json; fhirVersion=4.0',
        'APPLICATION/FHIR+JSON',
        'application/xml, application/json;q=0.5',
      ]) {
        const answer = await client.get(`Patient/${id}`, { accept });
        assert.equal(answer.status, 200, accept);
        assert.match(String(answer.headers['content-type']), /^application\/fhir\+json/);
      }
      for (const accept of [
        'application/fhir+xml',
        'text/html',
        'application/json;q=0',
        'application/fhir+json; fhirVersion=3.0',
      ]) {
        refused(await client.get(`Patient/${id}`, { accept }), 406, 'not-acceptable');
      }
      assert.equal((await client.get(`Patient/${id}?_format=json`, { accept: 'text/html' })).status, 200);
      assert.equal((await client.get(`Patient/${id}?_format=application/fhir%2Bjson`)).status, 200);
      assert.equal((await client.get(`Patient/${id}?_format=application/fhir+json`)).status, 200, '+ is a space');
      refused(await client.get(`Patient/${id}?_format=xml`), 406, 'not-acceptable');
      refused(await client.get(`Patient/${id}?_format=json&_format=xml`), 406, 'not-acceptable');
    });

    check('http.html#mime-type', 'bodies must be typed as JSON in UTF-8', async () => {
      const { client } = await target;
      const post = (type: string) => client.post('Patient', '{"resourceType":"Patient"}', { 'content-type': type });
      for (const type of [
        'application/fhir+json',
        'application/json',
        'Application/FHIR+JSON',
        'application/fhir+json;charset=utf-8',
        'application/fhir+json ; charset="UTF-8"',
        'application/fhir+json; fhirVersion=4.0; charset=utf-8',
      ]) {
        assert.equal((await post(type)).status, 201, type);
      }
      for (const type of [
        'application/fhir+xml',
        'text/plain',
        'text/json',
        'application/jsonx',
        'application/fhir+json2',
        'application/fhir json',
        'application/fhir+json; charset=gbk',
        'application/fhir+json; charset=utf-16',
        'application/json, text/plain',
        '',
        ' ',
        ';',
        'json',
      ]) {
        refused(await post(type), 415, 'unsupported-media-type');
      }
    });

    check('RFC 9110 §15.5.6', 'methods and paths that are not there', async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      for (const [method, path, allow] of [
        ['POST', `Patient/${id}`, 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
        ['DELETE', `Patient/${id}/_history/1`, 'GET, HEAD, OPTIONS'],
        ['PUT', 'metadata', 'GET, HEAD, OPTIONS'],
        ['POST', 'metadata', 'GET, HEAD, OPTIONS'],
        ['PUT', '', 'GET, HEAD, OPTIONS, POST'],
      ] as const) {
        const answer = await client.send(method, path, method === 'DELETE' ? {} : { body: '{}' });
        refused(answer, 405, 'method-not-allowed');
        assert.deepEqual(String(answer.headers.allow).split(', ').toSorted().join(', '), allow, `${method} ${path}`);
      }
      for (const path of [
        'Nonsense',
        'Nonsense/1',
        'patient',
        `Observation/${id}/$everything`,
        'Patient/$nothing',
        '$nothing',
        `Patient/${id}/_history/1/2`,
        `Patient/${id}/x`,
        'Nonsense/_history',
        'Nonsense/1/_history/1',
        'Patient/%24export',
      ]) {
        refused(await client.get(path), 404, 'not-supported');
      }
      refused(await client.post('Nonsense', { resourceType: 'Nonsense' }), 404, 'not-supported');
      assert.equal((await client.get('Patient/?_count=1')).status, 200, 'a trailing slash is none');
    });

    check('RFC 9110 §15.5.14', 'what is too long: 413 for a body, 414 for a path', async () => {
      const { client } = await target;
      refused(await client.get(`Patient/${'x'.repeat(3000)}`), 414, 'uri-too-long');
      const body = Buffer.alloc(50 * 1024 * 1024, ' ');
      refused(await client.post('Patient', body), 413, 'body-too-large');
    });

    check('RFC 6750 §3', 'no token, and a wrong one: 401 with a challenge', async () => {
      const { client } = await target;
      const none = await fhirClient(client.base).get('Patient');
      refused(none, 401, 'login-required');
      assert.match(String(none.headers['www-authenticate']), /^Bearer realm=/);
      const wrong = await fhirClient(client.base, () => Promise.resolve('x'.repeat(43))).get('Patient');
      refused(wrong, 401, 'token-invalid');
      assert.match(String(wrong.headers['www-authenticate']), /error="invalid_token"/);
    });

    check(
      'RFC 9111 §5.2.2.5',
      'every answer says that it is not to be kept or guessed at, and names its request',
      async () => {
        const { client } = await target;
        for (const path of ['Patient?_count=1', 'Patient/none', 'Nonsense', 'Patient?nonsense=1']) {
          const { headers } = await client.get(path);
          assert.deepEqual(
            [headers['cache-control'], headers['x-content-type-options']],
            ['no-store', 'nosniff'],
            path,
          );
          assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/);
        }
        const echoed = await client.get('Patient?_count=1', { 'x-request-id': 'mine' });
        assert.notEqual(echoed.headers['x-request-id'], 'mine', 'it could be anything');
      },
    );
  });
}

const VALUES: Readonly<Record<string, string>> = {
  token: 'x',
  string: 'x',
  reference: 'x',
  date: '2020-01-01',
  number: '1',
  quantity: '1',
  uri: 'http://x',
};

/** One question for the parameter and each of its modifiers; a composite is asked whether it is there. */
function questionsOf({
  name,
  type = 'token',
  documentation = '',
}: CapabilityStatementRestResourceSearchParam): string[] {
  const modifiers = [...documentation.matchAll(/:([a-z-]+)/g)].map(([, modifier]) => modifier ?? '');
  const plain = type === 'composite' ? [] : [`${name}=${VALUES[type]}`];
  return [...plain, ...modifiers.map((modifier) => `${name}:${modifier}=${MODIFIED[`${type}:${modifier}`] ?? 'x'}`)];
}

const MODIFIED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['token', 'string', 'reference', 'date', 'number', 'quantity', 'uri', 'composite'].map((type) => [
      `${type}:missing`,
      'true',
    ]),
  ),
  'token:of-type': 'a|b|c',
  'token:in': 'http://hl7.org/fhir/ValueSet/administrative-gender',
  'token:not-in': 'http://hl7.org/fhir/ValueSet/administrative-gender',
  'token:above': 'http://hl7.org/fhir/sid/icd-10|E11',
  'token:below': 'http://hl7.org/fhir/sid/icd-10|E11',
};
