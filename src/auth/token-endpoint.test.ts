import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  post,
  registerClient,
  requestToken,
  signAssertion,
  startAuth,
  testKey,
} from '../../conformance/support/test-auth.ts';

describe('token endpoint', () => {
  test('answers as RFC 6749 and SMART have it', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const { status, headers, body } = await requestToken(auth, await signAssertion(auth, key, id));
    assert.equal(status, 200);
    assert.match(String(body.access_token), /^[A-Za-z0-9_-]{43}$/);
    const { access_token: _, ...rest } = body;
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 300, scope: 'system/*.rs', purpose_of_use: ['TREAT'] });
    assert.deepEqual([headers.get('cache-control'), headers.get('pragma')], ['no-store', 'no-cache']);
    assert.match(headers.get('content-type') ?? '', /^application\/json/);
  });

  test('grants what was both requested and registered', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key, { scopes: ['system/Observation.rs', 'system/Patient.cruds'] });
    for (const [requested, granted] of [
      ['system/Observation.rs', 'system/Observation.rs'],
      ['system/*.rs', 'system/Observation.rs system/Patient.rs'],
      ['system/Patient.read system/Nonsense.read openid', 'system/Patient.read'],
      ['system/Observation.rs?category=laboratory', 'system/Observation.rs?category=laboratory'],
      ['system/Observation.rs?category=http://x.example/c|lab&status=final', undefined],
      ['user/Observation.rs system/Patient.r patient/Patient.r', 'system/Patient.r'],
      [Array.from({ length: 200 }, () => 'system/Observation.rs').join(' '), 'system/Observation.rs'],
    ] as const) {
      const { body } = await requestToken(auth, await signAssertion(auth, key, id), { scope: requested });
      assert.equal(body.scope, granted ?? requested);
    }
  });

  test('what grants nothing is refused as invalid_scope', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key, { scopes: ['system/Observation.rs'] });
    for (const [what, scope] of [
      ['no scope', undefined],
      ['an empty scope', ''],
      ['nothing that is a scope', 'nonsense'],
      ['nothing that is registered', 'system/Condition.rs'],
      ['another context', 'user/Observation.rs patient/Observation.rs'],
      ['administration', 'admin'],
      ['a granular scope that is malformed', 'system/Observation.rs?category='],
      ['characters that no scope has', 'system/Observation.rs?code="a"'],
      ['far too many', Array.from({ length: 201 }, () => 'system/Observation.rs').join(' ')],
    ] as const) {
      await t.test(what, async () => {
        const form: Record<string, string> = scope === undefined ? {} : { scope };
        const { status, body } = await requestToken(auth, await signAssertion(auth, key, id), form);
        assert.deepEqual([status, body.error, body.access_token], [400, 'invalid_scope', undefined]);
      });
    }
  });

  test('a purpose comes from the assertion, and only a registered one', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key, { purposes: ['TREAT', 'HRESCH'] });
    const ask = async (extensions?: unknown) =>
      requestToken(auth, await signAssertion(auth, key, id, extensions === undefined ? {} : { extensions }));
    const b2b = (...purposes: string[]) => ({
      'hl7-b2b': { version: '1', organization_id: 'o', purpose_of_use: purposes },
    });
    assert.deepEqual((await ask()).body.purpose_of_use, []);
    const research = await ask(b2b('HRESCH'));
    assert.deepEqual(research.body.purpose_of_use, ['HRESCH']);
    const principal = await auth.authenticator().authenticate(`Bearer ${research.body.access_token}`);
    assert.deepEqual(principal.purposes, ['HRESCH']);
    const refused = await ask(b2b('HPAYMT'));
    assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_grant']);
    assert.match(String(refused.body.error_description), /purpose_of_use/);
  });

  test('a token says for whom its client acts', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const patientApp = await registerClient(auth, key, { patient: 'p-1', scopes: ['patient/*.rs'], purposes: [] });
    const doctorApp = await registerClient(auth, key, { practitioner: 'd-1', scopes: ['user/*.cruds'] });
    const operator = await registerClient(auth, key, {
      administrator: true,
      institution: '',
      scopes: ['admin'],
      purposes: [],
    });
    const ask = async (id: string) => {
      const scope = 'patient/*.rs user/*.rs system/*.rs admin';
      const { body } = await requestToken(auth, await signAssertion(auth, key, id), { scope });
      const { scope: granted, patient, fhirUser } = body;
      const principal = await auth.authenticator().authenticate(`Bearer ${body.access_token}`);
      return { granted, patient, fhirUser, principal };
    };

    const patient = { institution: 'st-mary', type: 'Patient', id: 'p-1' };
    const asPatient = await ask(patientApp);
    assert.deepEqual([asPatient.granted, asPatient.patient, asPatient.fhirUser], ['patient/*.rs', 'p-1', undefined]);
    assert.deepEqual([asPatient.principal.patient, asPatient.principal.user], [patient, patient]);

    const asDoctor = await ask(doctorApp);
    const url = `${auth.publicUrl}/st-mary/fhir/Practitioner/d-1`;
    assert.deepEqual([asDoctor.granted, asDoctor.patient, asDoctor.fhirUser], ['user/*.rs', undefined, url]);
    assert.deepEqual(asDoctor.principal.user, { institution: 'st-mary', type: 'Practitioner', id: 'd-1' });
    assert.equal(asDoctor.principal.patient, undefined);

    const asOperator = await ask(operator);
    assert.equal(asOperator.granted, 'admin');
    assert.deepEqual([asOperator.principal.administrator, asOperator.principal.scopes], [true, []]);
    for (const { principal } of [asPatient, asDoctor]) assert.equal(principal.administrator, false);
  });

  test('tokens are for this server and no other', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const ask = async (more: Readonly<Record<string, string>>) =>
      (await requestToken(auth, await signAssertion(auth, key, id), { scope: 'system/*.rs', ...more })).body.error;
    for (const base of ['', '/', '/fhir', '/st-mary/fhir', '/st-mary/fhir/']) {
      assert.equal(await ask({ resource: `${auth.publicUrl}${base}` }), undefined, base);
      assert.equal(await ask({ aud: `${auth.publicUrl}${base}` }), undefined, base);
    }
    for (const url of [
      'https://elsewhere.example/fhir',
      `${auth.publicUrl}.example/fhir`,
      `${auth.publicUrl}/other`,
      'x',
    ]) {
      assert.equal(await ask({ resource: url }), 'invalid_target', url);
      assert.equal(await ask({ aud: url }), 'invalid_target', url);
    }
  });

  test('no other grant and no other way to authenticate is there', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    for (const grant of [
      'authorization_code',
      'refresh_token',
      'password',
      'implicit',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:openid:params:grant-type:ciba',
    ]) {
      const answer = await post(auth, '/token', await signAssertion(auth, key, id), { grant_type: grant, code: 'x' });
      assert.deepEqual([answer.status, answer.body.error], [400, 'unsupported_grant_type'], grant);
    }
    const form = { grant_type: 'client_credentials', scope: 'system/*.rs', client_id: id };
    for (const [body, headers] of [
      [form, {}],
      [{ ...form, client_secret: 'x' }, {}],
      [form, { authorization: `Basic ${btoa(`${id}:x`)}` }],
      [{ ...form, client_assertion: 'x' }, {}],
    ] as const) {
      const response = await fetch(auth.tokenEndpoint, { method: 'POST', body: new URLSearchParams(body), headers });
      assert.ok([400, 401].includes(response.status));
      assert.equal(JSON.parse(await response.text()).access_token, undefined);
    }
  });

  test('a browser page of another origin gets nothing', async (t) => {
    const auth = await startAuth(t);
    const key = await testKey('ES384');
    const id = await registerClient(auth, key);
    const response = await fetch(auth.tokenEndpoint, {
      method: 'POST',
      headers: { origin: 'https://page.example' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'system/*.rs',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await signAssertion(auth, key, id),
      }),
    });
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
  });

  test('too many requests are put off: by address, and by client', async (t) => {
    const key = await testKey('ES384');
    const wide = { burst: 1000, perSecond: 1000 };
    const narrow = { burst: 3, perSecond: 0.1 };
    for (const [limits, error] of [
      [{ address: narrow, client: wide }, 'invalid_request'],
      [{ address: wide, client: narrow }, 'temporarily_unavailable'],
    ] as const) {
      const auth = await startAuth(t, { limits });
      const id = await registerClient(auth, key);
      // Bad assertions in a client's name cost the sender's address, not the client.
      const forged = await signAssertion(auth, await testKey('ES384'), id);
      if (limits.client === narrow) for (const _ of '123456') await requestToken(auth, forged);
      for (const _ of '123') assert.equal((await requestToken(auth, await signAssertion(auth, key, id))).status, 200);
      const refused = await requestToken(auth, await signAssertion(auth, key, id));
      assert.deepEqual([refused.status, refused.body.error], [429, error]);
      assert.ok(Number(refused.headers.get('retry-after')) > 0);
    }
  });
});
