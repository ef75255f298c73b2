import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { readConfig } from '../config.ts';
import { MedSealError } from '../errors.ts';
import { findServer, readClient, type ServerAddress, type StoredClient } from './data-directory.ts';
import { OPERATOR } from './operator.ts';

/** The running server, as one of this node's own clients. */
export interface Connection {
  readonly directory: string;
  readonly address: ServerAddress;
}

/** @throws MedSealError `storage-unavailable` when no server runs on the data directory */
export function connect(): Connection {
  const { dataDirectory } = readConfig();
  return { directory: dataDirectory, address: findServer(dataDirectory) };
}

/** SMART Backend Services: a signed assertion for a token of five minutes. @throws MedSealError `token-invalid` */
export async function requestToken(address: ServerAddress, client: StoredClient): Promise<string> {
  const { clientId, privateKey, scope } = client;
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: privateKey.alg ?? 'ES384', kid: privateKey.kid ?? '', typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(`${address.publicUrl}/auth/token`)
    .setExpirationTime('2 minutes')
    .setJti(randomUUID())
    .sign(await importJWK(privateKey));
  const response = await fetch(`${address.url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
  const answer = (await response.json()) as { access_token?: string; error?: string; error_description?: string };
  if (response.ok && answer.access_token !== undefined) return answer.access_token;
  const why = answer.error_description ?? answer.error ?? `status ${response.status}`;
  throw new MedSealError('token-invalid', `The server gave no token: ${why}`);
}

/** One call of the administration API. @throws MedSealError as the server answered */
export async function administer(
  { directory, address }: Connection,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  const operator = readClient(directory, OPERATOR);
  if (operator === undefined) {
    throw new MedSealError(
      'forbidden',
      `The operator's key is not in ${directory}/clients; only the operator may do this`,
    );
  }
  const response = await fetch(`${address.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await requestToken(address, operator)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.ok) return text === '' ? undefined : JSON.parse(text);
  throw new MedSealError('invalid-parameter', diagnosticsOf(text) ?? `The server answered ${response.status}`);
}

/** The first thing that an OperationOutcome says. */
export function diagnosticsOf(text: string): string | undefined {
  try {
    const { issue } = JSON.parse(text) as { issue?: readonly { diagnostics?: string }[] };
    return issue?.[0]?.diagnostics;
  } catch {
    // Not JSON: a proxy's page, or nothing.
    return undefined;
  }
}
