import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { providerConfiguration } from './provider-configuration.ts';

/** What nothing is asked of before a request comes. */
const unused = {} as never;

const configuration = providerConfiguration({
  issuer: 'https://node.example/auth',
  tokenEndpoint: 'https://node.example/auth/token',
  publicUrl: 'https://node.example',
  clock: Date.now,
  adapter: unused,
  clients: unused,
  egress: unused,
  limiter: unused,
  secrets: { signingKeys: [{ kid: 'k' }], cookieKeys: ['c'], sealingKey: 's' },
});

describe('of what the provider can do', () => {
  test('only what is in use is on, and what it would have on by itself is off', () => {
    const on = Object.entries(configuration.features ?? {}).flatMap(([name, feature]) =>
      (feature as { readonly enabled: boolean }).enabled ? [name] : [],
    );
    assert.deepEqual(on.sort(), ['clientCredentials', 'introspection', 'resourceIndicators', 'revocation']);
    const off = Object.keys(configuration.features ?? {}).filter((name) => !on.includes(name));
    // https://github.com/panva/node-oidc-provider/blob/main/docs/README.md#features: enabled by default
    for (const name of ['claimsParameter', 'devInteractions', 'dPoP', 'pushedAuthorizationRequests']) {
      assert.ok(off.includes(name), name);
    }
    for (const name of ['rpInitiatedLogout', 'rpMetadataChoices', 'userinfo']) assert.ok(off.includes(name), name);
    assert.deepEqual([configuration.scopes, configuration.responseTypes], [[], []]);
    assert.deepEqual(configuration.clientAuthMethods, ['private_key_jwt']);
  });

  test('its endpoints are for no page of a browser', () => {
    assert.equal(configuration.clientBasedCORS?.(unused, 'https://page.example', unused), false);
  });
});
