import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ImportRequest } from './request.ts';
import { createSender, retryAfter } from './sender.ts';
import { fixedToken, type TokenSource } from './tokens.ts';

const REQUEST: ImportRequest = { method: 'POST', path: '', body: '{}', entries: [], kind: 'transaction' };

/** A server that gives these answers in turn, the last one for ever, and a sender to it whose time only its waits take. */
async function setUp(
  t: TestContext,
  answers: readonly ((request: IncomingMessage, response: ServerResponse) => void)[],
  tokens: TokenSource = fixedToken('token'),
) {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(keys.length, answers.length - 1)];
    keys.push(request.headers['idempotency-key']);
    request.resume().on('end', () => answer?.(request, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const waits: number[] = [];
  const stop = new AbortController();
  let time = 0;
  const sender = createSender({
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    tokens,
    signal: stop.signal,
    now: () => time,
    async wait(milliseconds, signal) {
      signal.throwIfAborted();
      waits.push(milliseconds);
      time += milliseconds;
    },
    onWait: () => undefined,
  });
  return { sender, keys, waits, stop };
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(code, headers).end('{}');
const hangUp = ({ socket }: IncomingMessage) => void socket.destroy();

test('waits out a busy, restarting or lost server, with the same key each time', async (t) => {
  const { sender, keys, waits } = await setUp(t, [
    status(503, { 'retry-after': '7' }),
    status(429),
    hangUp,
    status(504),
    status(200, { 'last-modified': 'now' }),
  ]);
  const answer = await sender.send(REQUEST, 'key');
  assert.deepEqual(answer, { status: 200, modified: true, body: '{}' });
  assert.deepEqual(keys, Array(5).fill('key'));
  assert.equal(waits[0], 7000);
  assert.equal(waits.length, 4);
});

test('an answer that says what is wrong is final', async (t) => {
  for (const code of [400, 404, 409, 412, 413, 422, 500]) {
    const { sender, keys } = await setUp(t, [status(code)]);
    assert.equal((await sender.send(REQUEST, 'key')).status, code);
    assert.equal(keys.length, 1);
  }
});

test('gives up in the end', async (t) => {
  const { sender, waits } = await setUp(t, [status(503)]);
  await assert.rejects(sender.send(REQUEST, 'key'), { code: 'storage-unavailable' });
  const waited = waits.reduce((sum, wait) => sum + wait, 0);
  assert.ok(waited > 200_000 && waited <= 300_000, String(waited));
});

test('a token that is refused is not used again; several in a row end the import', async (t) => {
  let made = 0;
  const dropped: string[] = [];
  const tokens = {
    current: async () => `token-${made}`,
    refused: async (token: string) => {
      dropped.push(token);
      made += 1;
    },
  };
  const once = await setUp(t, [status(401), status(200)], tokens);
  assert.equal((await once.sender.send(REQUEST, 'key')).status, 200);
  assert.deepEqual(dropped, ['token-0']);
  const never = await setUp(t, [status(401)], tokens);
  await assert.rejects(never.sender.send(REQUEST, 'key'), { code: 'token-invalid' });
  const fixed = await setUp(t, [status(401)]);
  await assert.rejects(fixed.sender.send(REQUEST, 'key'), { code: 'token-invalid' });
  assert.equal(fixed.keys.length, 1);
});

test('stops at once when told to', async (t) => {
  const { sender, stop } = await setUp(t, [(request) => void request.socket.on('close', () => undefined)]);
  const sending = sender.send(REQUEST, 'key');
  stop.abort(new Error('stopped'));
  await assert.rejects(sending);
});

test('reads Retry-After as seconds and as a date', () => {
  assert.equal(retryAfter(null), 0);
  assert.equal(retryAfter('2'), 2000);
  assert.equal(retryAfter('-5'), 0);
  assert.equal(retryAfter('soon'), 0);
  assert.equal(retryAfter('99999'), 60_000);
  const date = retryAfter(new Date(Date.now() + 20_000).toUTCString());
  assert.ok(date > 15_000 && date <= 20_000);
});
