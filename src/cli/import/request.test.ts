import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idempotencyKey, itemHash, requestOf } from './request.ts';

const bytes = (value: object | string) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

test('a resource is put under its id, and posted without one, in its exact bytes', () => {
  const text = '{"resourceType":"Observation","valueQuantity":{"value":1.0}}';
  const posted = requestOf(bytes(text));
  assert.deepEqual(
    [posted.method, posted.path, String(posted.body), posted.kind],
    ['POST', 'Observation', text, 'single'],
  );
  const put = requestOf(bytes('{"resourceType":"Patient","id":"a/b"}'));
  assert.deepEqual([put.method, put.path], ['PUT', 'Patient/a%2Fb']);
  assert.deepEqual(put.entries, [{ type: 'Patient', index: 0 }]);
});

test('a transaction or batch goes as it is', () => {
  for (const type of ['transaction', 'batch'] as const) {
    const text = JSON.stringify({
      resourceType: 'Bundle',
      type,
      entry: [
        { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
        { request: { method: 'DELETE', url: 'Observation/1?x' } },
        { request: { method: 'DELETE', url: '{"name":"a value"}' } },
      ],
    });
    const request = requestOf(bytes(text));
    assert.deepEqual([request.method, request.path, String(request.body), request.kind], ['POST', '', text, type]);
    assert.deepEqual(
      request.entries.map((entry) => entry.type),
      ['Patient', 'Observation', 'unknown'],
    );
  }
});

test('a collection becomes a transaction that keeps fullUrls and the written form of decimals', () => {
  for (const type of ['collection', 'searchset', 'document']) {
    const request = requestOf(
      bytes(`{"resourceType":"Bundle","type":"${type}","total":2,"entry":[
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p"},"search":{"mode":"match"}},
        {"resource":{"resourceType":"OperationOutcome"}},
        {"link":[]},
        {"resource":{"resourceType":"Observation","valueQuantity":{"value":1.50}}}]}`),
    );
    assert.equal(
      request.body,
      '{"resourceType":"Bundle","type":"transaction","entry":[' +
        '{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p"},"request":{"method":"PUT","url":"Patient/p"}},' +
        '{"resource":{"resourceType":"Observation","valueQuantity":{"value":1.50}},"request":{"method":"POST","url":"Observation"}}]}',
    );
    assert.deepEqual(
      request.entries.map(({ index }) => index),
      [0, 3],
    );
  }
});

test('of a batch, only the open entries, with the written form of decimals', () => {
  const entry = (value: string) =>
    `{"resource":{"resourceType":"Observation","value":${value}},"request":{"method":"POST","url":"Observation"}}`;
  const batch = `{"resourceType":"Bundle","type":"batch","entry":[${entry('1.0')},${entry('2.0')},${entry('3.0')}]}`;
  const request = requestOf(bytes(batch), new Set([0, 2]));
  assert.equal(request.body, `{"resourceType":"Bundle","type":"batch","entry":[${entry('1.0')},${entry('3.0')}]}`);
  assert.deepEqual(
    request.entries.map(({ index }) => index),
    [0, 2],
  );
});

test('what is nothing to import is refused, and not quoted', () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['{"resourceType":"Patient"', 'malformed-json'],
    ['[1]', 'invalid-resource'],
    ['"secret"', 'invalid-resource'],
    ['{"resourceType":"A secret value"}', 'invalid-resource'],
    ['{"resourceType":"Bundle","type":"history"}', 'invalid-bundle'],
    ['{"resourceType":"Bundle","type":"message"}', 'invalid-bundle'],
    ['{"resourceType":"Bundle","type":"collection","entry":[{"a":1,"a":"secret"}]}', 'duplicate-key'],
  ];
  for (const [text, code] of refusals) {
    assert.throws(
      () => requestOf(bytes(text)),
      (error: Error & { code?: string }) =>
        error.code === code && !error.message.includes('secret') && error.cause === undefined,
      text,
    );
  }
});

test('the key depends on content, position and entries, and on nothing else', () => {
  const hashes = [itemHash(bytes('a'), 1), itemHash(bytes('a'), 2), itemHash(bytes('b'), 1)];
  const keys = [
    ...hashes.map((hash) => idempotencyKey(hash, undefined)),
    idempotencyKey(hashes[0] ?? '', [{ type: 'Patient', index: 1 }]),
    idempotencyKey(hashes[0] ?? '', [{ type: 'Patient', index: 2 }]),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(idempotencyKey(itemHash(bytes('a'), 1), undefined), keys[0]);
  assert.ok(keys.every((key) => key.length < 255));
});
