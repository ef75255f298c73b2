import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { MedSealError } from '../errors.ts';
import { errorResult, FHIR_JSON } from './http-result.ts';

/** Answers what Node's HTTP parser refuses, which never becomes a request; then there is no more to say to each other. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(response(refusalOf(error.code)));
  socket.destroy();
}

function refusalOf(code: string | undefined): MedSealError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new MedSealError('uri-too-long', 'The URL and the headers are together longer than this server accepts');
  }
  const why = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'did not arrive in time' : 'is not well-formed HTTP';
  return new MedSealError('invalid-parameter', `The request ${why}`);
}

function response(refusal: MedSealError): string {
  const { status, body = '' } = errorResult(refusal);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${FHIR_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body.toString(),
  ].join('\r\n');
}
