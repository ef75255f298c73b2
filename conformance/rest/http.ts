import assert from 'node:assert/strict';
import { suite } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Bundle, CapabilityStatement, Patient } from '@medplum/fhirtypes';
import { fhirClient } from '../support/fhir-client.ts';
import { check } from './case.ts';
import { newScope, refused, shown } from './support.ts';
import type { RestTarget } from './target.ts';

const ENCODINGS = { br: brotliDecompressSync, gzip: gunzipSync } as const;
/** More than a packet holds. */
const LONG = 'x'.repeat(4000);

/** How answers are laid out, encoded and shared with browsers. */
export function http(target: Promise<RestTarget>): void {
  suite('HTTP', () => {
    layout(target);
    encodings(target);
    heads(target);
    foreignFormats(target);
    browsers(target);
  });
}

function layout(target: Promise<RestTarget>): void {
  for (const path of ['', '/_history/1', '/_history'] as const) {
    check(
      'http.html#pretty',
      `_pretty=true lays Patient/[id]${path} out; without it there are no line breaks`,
      async () => {
        const { client } = await target;
        const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient', active: true });
        const plain = await client.get(`Patient/${id}${path}`);
        const pretty = await client.get(`Patient/${id}${path}?_pretty=true`);
        assert.ok(!plain.text.includes('\n'));
        assert.match(pretty.text, /^\{\n {2}"resourceType": "/);
        const { link: _one, ...left } = plain.json<Bundle>();
        const { link: _other, ...right } = pretty.json<Bundle>();
        assert.deepEqual(left, right);
      },
    );
  }

  check('http.html#pretty', '_pretty=true leaves decimals as they were written', async () => {
    const { client } = await target;
    const location = '{"resourceType":"Location","position":{"longitude":1.50,"latitude":-0.0}}';
    const { id } = shown<Patient>({ ...(await client.post('Location', location)), status: 200 });
    const { text } = await client.get(`Location/${id}?_pretty=true`);
    assert.match(text, /"longitude": 1\.50,\n\s+"latitude": -0\.0\n/);
  });

  check('http.html#pretty', '_pretty=true lays a search, an error and the CapabilityStatement out', async () => {
    const { client } = await target;
    for (const path of ['Patient?_count=1&_pretty=true', 'Patient/none?_pretty=true', 'metadata?_pretty=true']) {
      assert.match((await client.get(path)).text, /^\{\n {2}"resourceType"/, path);
    }
  });
}

function encodings(target: Promise<RestTarget>): void {
  for (const [coding, decode] of Object.entries(ENCODINGS)) {
    check('http.html#compression', `Accept-Encoding: ${coding} gets a long answer compressed, and equal`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient', name: [{ text: LONG }] });
      const plain = await client.get(`Patient/${id}`);
      const answer = await client.get(`Patient/${id}`, { 'accept-encoding': coding });
      assert.equal(answer.headers['content-encoding'], coding);
      assert.match(String(answer.headers.vary), /Accept-Encoding/);
      assert.ok(answer.bytes.length < plain.bytes.length / 4, String(answer.bytes.length));
      assert.equal(decode(answer.bytes).toString(), plain.text);
      assert.equal(answer.headers.etag, plain.headers.etag);
    });
  }

  check('RFC 9110 §12.5.3', 'what is short, or not asked for, is not compressed', async () => {
    const { client } = await target;
    const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
    const short = await client.get(`Patient/${id}`, { 'accept-encoding': 'gzip, br' });
    assert.equal(short.headers['content-encoding'], undefined);
    for (const accepted of ['identity', 'gzip;q=0', 'br;q=0, gzip;q=0', '']) {
      const answer = await client.get('metadata', accepted === '' ? {} : { 'accept-encoding': accepted });
      assert.equal(answer.headers['content-encoding'], undefined, accepted);
      assert.equal(shown<CapabilityStatement>(answer).resourceType, 'CapabilityStatement');
    }
  });
}

function heads(target: Promise<RestTarget>): void {
  for (const [name, path] of [
    ['read', ''],
    ['vread', '/_history/1'],
    ['history', '/_history'],
  ] as const) {
    check('http.html#head', `HEAD of a ${name} is its GET without the body`, async () => {
      const { client } = await target;
      const { id } = await newScope(client).create<Patient>({ resourceType: 'Patient' });
      const get = await client.get(`Patient/${id}${path}`);
      const head = await client.send('HEAD', `Patient/${id}${path}`);
      assert.deepEqual([head.status, head.text], [200, '']);
      for (const header of ['etag', 'last-modified', 'content-type'])
        assert.equal(head.headers[header], get.headers[header]);
    });
  }

  check('http.html#head', 'HEAD of what is not there is 404, of a search and of metadata 200', async () => {
    const { client } = await target;
    assert.equal((await client.send('HEAD', 'Patient/none')).status, 404);
    assert.equal((await client.send('HEAD', 'Patient?_count=1')).status, 200);
    assert.equal((await client.send('HEAD', 'metadata')).status, 200);
  });

  check('RFC 9110 §9.3.7', 'OPTIONS says which methods a path takes', async () => {
    const { client } = await target;
    const answer = await client.send('OPTIONS', 'Patient/1');
    assert.ok([200, 204].includes(answer.status));
    assert.deepEqual(
      ['GET', 'PUT', 'DELETE'].filter((method) => !String(answer.headers.allow).includes(method)),
      [],
    );
  });
}

function foreignFormats(target: Promise<RestTarget>): void {
  for (const path of ['metadata', 'Patient?_count=1', 'Patient/1']) {
    for (const format of ['xml', 'application/fhir+xml', 'text/turtle', 'html']) {
      check('http.html#mime-type', `${path} as ${format} is 406`, async () => {
        const { client } = await target;
        const separator = path.includes('?') ? '&' : '?';
        const asked = `${path}${separator}_format=${encodeURIComponent(format)}`;
        refused(await client.get(asked), 406, 'not-acceptable');
      });
    }
  }
  for (const type of ['application/fhir+xml', 'application/xml', 'text/xml', 'text/turtle']) {
    check('http.html#mime-type', `a body of ${type} is 415`, async () => {
      const { client } = await target;
      const post = await client.post('Patient', '<Patient xmlns="http://hl7.org/fhir"/>', { 'content-type': type });
      refused(post, 415, 'unsupported-media-type');
      const put = await client.put('Patient/1', '<Patient xmlns="http://hl7.org/fhir"/>', { 'content-type': type });
      refused(put, 415, 'unsupported-media-type');
    });
  }
}

const CORS =
  'https://hl7.org/fhir/smart-app-launch/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support';
const PREFLIGHT = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' };

function browsers(target: Promise<RestTarget>): void {
  for (const path of ['metadata', '.well-known/smart-configuration']) {
    check(CORS, `${path} may be read by a page of any origin`, async () => {
      const { client } = await target;
      const origin = 'https://app.example.org';
      const answer = await fhirClient(client.base).get(path, { origin });
      assert.equal(answer.status, 200);
      assert.ok(['*', origin].includes(String(answer.headers['access-control-allow-origin'])));
      const preflight = await fhirClient(client.base).send('OPTIONS', path, { headers: { origin, ...PREFLIGHT } });
      assert.ok([200, 204].includes(preflight.status));
      assert.ok(['*', origin].includes(String(preflight.headers['access-control-allow-origin'])));
    });
  }

  check(CORS, 'no page of an origin that nobody named reads records', async () => {
    const { client } = await target;
    const headers = { origin: 'https://evil.example.org' };
    const answer = await client.get('Patient?_count=1', headers);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    const preflight = await client.send('OPTIONS', 'Patient', { headers: { ...headers, ...PREFLIGHT } });
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
    assert.equal(preflight.headers['access-control-allow-headers'], undefined);
  });
}
