import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * One connection to the server, with one request in flight. Barely more than the bytes themselves: client and server
 * share the machine, and what the client takes is missing from the server's figures.
 */
export interface HttpConnection {
  /** @throws when the connection breaks, or the answer has no Content-Length */
  send(request: HttpRequest, token: string): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** As it goes out, with its query. */
  readonly path: string;
  /** FHIR JSON. */
  readonly body?: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

export async function openConnection(origin: string): Promise<HttpConnection> {
  const { hostname, port, host } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return {
    send(request, token) {
      const answer = readAnswer(socket);
      const { method, path, body } = request;
      const head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n`;
      if (body === undefined) {
        socket.write(`${head}\r\n`);
      } else {
        socket.cork();
        socket.write(`${head}Content-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.write(body);
        socket.uncork();
      }
      return answer;
    },
    close: () => socket.destroy(),
  };
}

function readAnswer(socket: Socket): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let head: { readonly status: number; readonly end: number; readonly length: number } | undefined;
    const settle = (): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onClose = (): void => onError(new Error('The server closed the connection'));
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      head ??= readHead(received);
      if (head === undefined) return;
      if (Number.isNaN(head.length)) {
        onError(new Error('An answer without a Content-Length'));
      } else if (received.length >= head.end + head.length) {
        settle();
        resolve({ status: head.status, body: received.subarray(head.end) });
      }
    };
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}

function readHead(received: Buffer): { status: number; end: number; length: number } | undefined {
  const end = received.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  const text = received.toString('latin1', 0, end);
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text) ?? [];
  return { status: Number(text.slice(9, 12)), end: end + END_OF_HEAD.length, length: Number(length) };
}
