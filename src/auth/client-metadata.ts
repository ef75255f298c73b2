import type { AllClientMetadata } from 'oidc-provider';
import type { Client } from './clients.ts';

/** A registered client as oidc-provider knows it: a SMART backend service that signs its assertions. */
export function clientMetadata(client: Client): AllClientMetadata {
  return {
    client_id: client.id,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'private_key_jwt',
    ...(client.jwks === undefined ? { jwks_uri: client.jwksUri } : { jwks: client.jwks }),
  };
}
