import type { Connection } from '../cli/connection.ts';
import { accessToken } from '../cli/token.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Someone who speaks to a base over HTTP, with a token of their own. */
export interface FhirClient {
  /** @param path below the base; '' for the base itself */
  get(path: string): Promise<Answer>;
  put(path: string, resource: object): Promise<Answer>;
  post(path: string, text: string): Promise<Answer>;
}

/** @param name as of `medseal token` @param base such as `hospital-a` */
export async function fhirClient(
  connection: Connection,
  name: string,
  institution: string,
  signal: AbortSignal,
): Promise<FhirClient> {
  const token = await accessToken(connection, name);
  const base = `${connection.address.url}/${institution}/fhir`;
  const ask = async (method: string, path: string, body?: string): Promise<Answer> => {
    const response = await fetch(path === '' ? base : `${base}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
      },
      ...(body === undefined ? {} : { body }),
      signal,
    });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  };
  return {
    get: (path) => ask('GET', path),
    put: (path, resource) => ask('PUT', path, JSON.stringify(resource)),
    post: (path, text) => ask('POST', path, text),
  };
}
