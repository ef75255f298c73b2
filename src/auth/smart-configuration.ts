import { ASSERTION_ALGORITHMS } from './client-keys.ts';
import { ROUTES } from './routes.ts';

/** What clients must know of an authorization server (RFC 8414); URLs are absolute. */
export interface AuthorizationMetadata {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
  readonly grantTypes: readonly string[];
  /** How clients authenticate at the token endpoint, and with which signature algorithms. */
  readonly authMethods: readonly string[];
  readonly signingAlgorithms: readonly string[];
}

export function embeddedMetadata(issuer: string): AuthorizationMetadata {
  return {
    issuer,
    tokenEndpoint: `${issuer}${ROUTES.token}`,
    introspectionEndpoint: `${issuer}${ROUTES.introspection}`,
    revocationEndpoint: `${issuer}${ROUTES.revocation}`,
    grantTypes: ['client_credentials'],
    authMethods: ['private_key_jwt'],
    signingAlgorithms: ASSERTION_ALGORITHMS,
  };
}

/**
 * The document at `{base}/.well-known/smart-configuration`, the same for every base because one token serves them all.
 * https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
 */
export function smartConfiguration(server: AuthorizationMetadata): Readonly<Record<string, unknown>> {
  const signs = server.authMethods.includes('private_key_jwt');
  return {
    token_endpoint: server.tokenEndpoint,
    ...(server.introspectionEndpoint === undefined ? {} : { introspection_endpoint: server.introspectionEndpoint }),
    ...(server.revocationEndpoint === undefined ? {} : { revocation_endpoint: server.revocationEndpoint }),
    grant_types_supported: server.grantTypes,
    token_endpoint_auth_methods_supported: server.authMethods,
    ...(signs ? { token_endpoint_auth_signing_alg_values_supported: server.signingAlgorithms } : {}),
    scopes_supported: ['system/*.cruds', 'user/*.cruds', 'patient/*.cruds'],
    // Required of every server, though PKCE plays no part in client credentials.
    code_challenge_methods_supported: ['S256'],
    capabilities: [
      ...(signs ? ['client-confidential-asymmetric'] : []),
      'permission-patient',
      'permission-user',
      'permission-v1',
      'permission-v2',
    ],
  };
}
