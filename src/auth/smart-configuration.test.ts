import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embeddedMetadata, smartConfiguration } from './smart-configuration.ts';

describe('.well-known/smart-configuration', () => {
  test('of the embedded server', () => {
    assert.deepEqual(smartConfiguration(embeddedMetadata('https://records.example/auth')), {
      token_endpoint: 'https://records.example/auth/token',
      introspection_endpoint: 'https://records.example/auth/introspect',
      revocation_endpoint: 'https://records.example/auth/revoke',
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      scopes_supported: ['system/*.cruds', 'user/*.cruds', 'patient/*.cruds'],
      code_challenge_methods_supported: ['S256'],
      capabilities: [
        'client-confidential-asymmetric',
        'permission-patient',
        'permission-user',
        'permission-v1',
        'permission-v2',
      ],
    });
  });

  test('of another issuer: what that one says of itself', () => {
    const document = smartConfiguration({
      issuer: 'https://id.example',
      tokenEndpoint: 'https://id.example/token',
      grantTypes: ['client_credentials', 'password'],
      authMethods: ['client_secret_basic'],
      signingAlgorithms: ['RS256'],
    });
    assert.equal(document.token_endpoint, 'https://id.example/token');
    assert.deepEqual(document.grant_types_supported, ['client_credentials', 'password']);
    for (const absent of [
      'introspection_endpoint',
      'revocation_endpoint',
      'authorization_endpoint',
      'token_endpoint_auth_signing_alg_values_supported',
    ]) {
      assert.ok(!(absent in document), absent);
    }
    assert.ok(!(document.capabilities as string[]).includes('client-confidential-asymmetric'));
  });
});
