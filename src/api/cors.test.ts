import assert from 'node:assert/strict';
import { test } from 'node:test';
import cors from '@fastify/cors';
import Fastify from 'fastify';
import { corsOptions } from './cors.ts';

const OWN = 'https://app.example.org';

async function answered(
  origins: readonly string[],
  request: { method: 'GET' | 'OPTIONS'; url: string; origin: string },
) {
  const app = Fastify();
  await app.register(cors, { delegator: (asked, done) => done(null, corsOptions(origins, asked)) });
  for (const url of ['/a/fhir/metadata', '/a/fhir/Patient', '/auth/token']) {
    app.get(url, async () => 'shown');
    app.options(url, async () => 'methods');
  }
  const preflight = request.method === 'OPTIONS' ? { 'access-control-request-method': 'GET' } : {};
  const { method, url, origin } = request;
  return (await app.inject({ method, url, headers: { origin, ...preflight } })).headers;
}

for (const method of ['GET', 'OPTIONS'] as const) {
  for (const [origins, url, origin, allowed] of [
    [[], '/a/fhir/Patient', OWN, undefined],
    [[OWN], '/a/fhir/Patient', OWN, OWN],
    [[OWN], '/a/fhir/Patient', `${OWN}.evil.com`, undefined],
    [[OWN], '/a/fhir/Patient', 'http://app.example.org', undefined],
    [['https://other.example', OWN], '/a/fhir/Patient', OWN, OWN],
    [['*'], '/a/fhir/Patient', OWN, '*'],
    [[], '/a/fhir/metadata', OWN, '*'],
    [['*'], '/auth/token', OWN, undefined],
  ] as const) {
    test(`${method} ${url} from ${origin}, with [${origins}]: ${allowed ?? 'not allowed'}`, async () => {
      const headers = await answered(origins, { method, url, origin });
      assert.equal(headers['access-control-allow-origin'], allowed);
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.equal('access-control-allow-headers' in headers, allowed !== undefined && method === 'OPTIONS');
    });
  }
}
