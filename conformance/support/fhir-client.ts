import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buffer as readBuffer } from 'node:stream/consumers';

/** What a server answered, to the byte. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The body as it came, its Content-Encoding included. */
  readonly bytes: Buffer;
  /** @throws when the body is not JSON */
  json<T>(): T;
}

export interface Message {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as FHIR JSON, text and bytes as they are. */
  readonly body?: object | string | Buffer;
}

/** One client at one base. Paths are relative to the base; one that begins with `/` to its origin. */
export interface FhirClient {
  readonly base: string;
  send(method: string, path: string, message?: Message): Promise<Answer>;
  get(path: string, headers?: Message['headers']): Promise<Answer>;
  post(path: string, body: Message['body'], headers?: Message['headers']): Promise<Answer>;
  put(path: string, body: Message['body'], headers?: Message['headers']): Promise<Answer>;
  delete(path: string, headers?: Message['headers']): Promise<Answer>;
  /** The same client at another base. */
  at(base: string): FhirClient;
}

const FHIR_JSON = 'application/fhir+json';
const agent = new Agent({ keepAlive: true });

/** @param token asked for each request; undefined sends none */
export function fhirClient(base: string, token?: () => Promise<string>): FhirClient {
  const send = async (method: string, path: string, { headers = {}, body }: Message = {}): Promise<Answer> => {
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${await token()}` };
    const url = new URL(base);
    const target = path.startsWith('/') ? path : `${url.pathname.replace(/\/$/, '')}${path === '' ? '' : `/${path}`}`;
    return exchange(
      url,
      method,
      target,
      {
        ...authorization,
        ...(bytes === undefined
          ? {}
          : { 'content-type': FHIR_JSON, 'content-length': String(Buffer.byteLength(bytes)) }),
        ...headers,
      },
      bytes,
    );
  };
  return {
    base,
    send,
    get: (path, headers = {}) => send('GET', path, { headers }),
    post: (path, body, headers = {}) => send('POST', path, { headers, ...(body === undefined ? {} : { body }) }),
    put: (path, body, headers = {}) => send('PUT', path, { headers, ...(body === undefined ? {} : { body }) }),
    delete: (path, headers = {}) => send('DELETE', path, { headers }),
    at: (other) => fhirClient(other, token),
  };
}

/** The path goes out as it is: nothing normalises it. */
function exchange(
  url: URL,
  method: string,
  path: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
  body: string | Buffer | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port, protocol } = url;
    const options = {
      host: hostname,
      port,
      method,
      path,
      headers: { ...headers } as Record<string, string | string[]>,
    };
    const sent = protocol === 'https:' ? httpsRequest(options) : httpRequest({ ...options, agent });
    sent.on('error', reject);
    sent.on('response', (response) => {
      readBuffer(response).then((bytes) => {
        const { statusCode: status = 0, headers: received, rawHeaders } = response;
        const text = bytes.toString('utf8');
        resolve({ status, headers: received, rawHeaders, text, bytes, json: <T>() => JSON.parse(text) as T });
      }, reject);
    });
    sent.end(body);
  });
}

/** Keeps a token for as long as it surely lives: they last five minutes. */
export function cachedToken(get: () => Promise<string>, milliseconds = 120_000): () => Promise<string> {
  let until = 0;
  let token: Promise<string> | undefined;
  return () => {
    if (token === undefined || Date.now() > until) {
      until = Date.now() + milliseconds;
      token = get();
    }
    return token;
  };
}
