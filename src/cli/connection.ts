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
export function connect(directory: string = readConfig().dataDirectory): Connection {
  return { directory, address: findServer(directory) };
}

/** Where tokens are asked for, and what a client's assertion must be addressed to. */
export interface TokenEndpoint {
  readonly url: string;
  readonly audience: string;
}

export function localTokenEndpoint({ url, publicUrl }: ServerAddress): TokenEndpoint {
  return { url: `${url}/auth/token`, audience: `${publicUrl}/auth/token` };
}

/** SMART Backend Services: a signed assertion for a token of five minutes. @throws MedSealError `token-invalid` */
export async function requestToken({ url, audience }: TokenEndpoint, client: StoredClient): Promise<string> {
  const { clientId, privateKey, scope } = client;
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: privateKey.alg ?? 'ES384', kid: privateKey.kid ?? '', typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setExpirationTime('2 minutes')
    .setJti(randomUUID())
    .sign(await importJWK(privateKey));
  const response = await send(url, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
  const text = await response.text();
  const answer = parsed(text) as { access_token?: string; error?: string; error_description?: string } | undefined;
  if (response.ok && answer?.access_token !== undefined) return answer.access_token;
  if (response.status >= 500) throw unavailable(url, response.status);
  const why = answer?.error_description ?? answer?.error ?? `status ${response.status}`;
  throw new MedSealError('token-invalid', `The server gave no token: ${why}`);
}

/** One call of the administration API. @throws MedSealError as the server answered */
export async function administer(
  connection: Connection,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  const text = await (await callAdministration(connection, method, path, body)).text();
  return text === '' ? undefined : JSON.parse(text);
}

/** The same with the answer as it comes, for one that is streamed. @throws MedSealError as the server answered */
export async function callAdministration(
  { directory, address }: Connection,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<Response> {
  const operator = readClient(directory, OPERATOR);
  if (operator === undefined) {
    throw new MedSealError(
      'forbidden',
      `The operator's key is not in ${directory}/clients; only the operator may do this`,
    );
  }
  return call(`${address.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await requestToken(localTokenEndpoint(address), operator)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** @throws MedSealError as the server answered, `storage-unavailable` when nobody answers */
export async function call(url: string, init: RequestInit): Promise<Response> {
  const response = await send(url, init);
  if (response.ok) return response;
  const why = diagnosticsOf(await response.text());
  throw new MedSealError('invalid-parameter', why ?? `The server answered ${response.status}`);
}

/** @throws MedSealError `storage-unavailable` when nobody answers */
async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new MedSealError('storage-unavailable', `The server at ${new URL(url).origin} does not answer`, { cause });
  }
}

function unavailable(url: string, status: number): MedSealError {
  return new MedSealError(
    'storage-unavailable',
    `The server at ${new URL(url).origin} cannot answer now (status ${status})`,
  );
}

/** The first thing that an OperationOutcome says. */
function diagnosticsOf(text: string): string | undefined {
  const outcome = parsed(text) as { issue?: readonly { diagnostics?: string }[] } | undefined;
  return outcome?.issue?.[0]?.diagnostics;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page, or nothing.
    return undefined;
  }
}
