import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryDirectory } from '../../../conformance/support/temporary-directory.ts';
import { type Item, MAX_ITEM_BYTES, readItems } from './items.ts';

const directory = await temporaryDirectory();

/** The items of a file with this content, as `position: text`. */
async function items(name: string, content: string | Buffer): Promise<readonly string[]> {
  const path = join(directory, name);
  await writeFile(path, content);
  let read = 0;
  const found: Item[] = [];
  for await (const item of readItems({ path, size: undefined }, (bytes) => {
    read += bytes;
  })) {
    found.push(item);
  }
  assert.ok(found.every((item) => item.path === path));
  if (found.every((item) => typeof item.content === 'object')) assert.equal(read, Buffer.byteLength(content));
  return found.map(({ position, content: text }) => `${position}: ${text}`);
}

const ONE = '{"resourceType":"Patient"}';
const PRETTY = '{\n  "resourceType": "Patient",\r\n\n  "active": true\n}\n';

test('a document is one item, in its exact bytes, however it is laid out', async () => {
  assert.deepEqual(await items('a.json', ONE), [`1: ${ONE}`]);
  assert.deepEqual(await items('b.json', PRETTY), [`1: ${PRETTY.trimEnd()}`]);
  assert.deepEqual(await items('c', `\uFEFF${PRETTY}`), [`1: ${PRETTY.trimEnd()}`]);
  assert.deepEqual(await items('d.json', ''), []);
  assert.deepEqual(await items('e.json', '\n \n'), []);
  assert.deepEqual(await items('f.json', '{ truncated'), ['1: { truncated']);
});

test('a file of lines is one item a line, by its name or by its first line', async () => {
  const lines = `\n${ONE}\n\n${ONE}\r\n \nnot JSON\n${ONE}`;
  const expected = [`2: ${ONE}`, `4: ${ONE}\r`, '6: not JSON', `7: ${ONE}`];
  assert.deepEqual(await items('a.ndjson', lines), expected);
  assert.deepEqual(await items('a.txt', lines), expected);
  assert.deepEqual(await items('a.jsonl', `broken\n${ONE}`), ['1: broken', `2: ${ONE}`]);
});

test('compressed files are recognised by their content, of several members too', async () => {
  assert.deepEqual(await items('a.json.gz', gzipSync(PRETTY)), [`1: ${PRETTY.trimEnd()}`]);
  const members = Buffer.concat([gzipSync(`${ONE}\n`), gzipSync(`${ONE}\n`)]);
  assert.deepEqual(await items('no-name', members), [`1: ${ONE}`, `2: ${ONE}`]);
});

test('a file that is damaged on the way yields what came before, then says so', async () => {
  const line = `{"text":"${'x'.repeat(5000)}"}`;
  const whole = gzipSync(
    Array.from({ length: 200 }, (_, index) => `${line}${index}\n`)
      .join('')
      .replaceAll('}', '}'),
  );
  const found = await items('a.ndjson.gz', whole.subarray(0, whole.length - 20));
  assert.match(found.at(-1) ?? '', /^\d+: unreadable$/);
  assert.deepEqual(await items('b.json.gz', gzipSync(ONE).subarray(0, 15)), ['1: unreadable']);
});

test('an item that no server takes is not held', async () => {
  const large = Buffer.alloc(MAX_ITEM_BYTES + 2, 0x20);
  large.write('{"a":1,');
  const lines = Buffer.concat([large, Buffer.from(`\n${ONE}\n`)]);
  assert.deepEqual(await items('large.ndjson.gz', gzipSync(lines, { level: 1 })), ['1: too-large', `2: ${ONE}`]);
  assert.deepEqual(await items('large.json.gz', gzipSync(large, { level: 1 })), ['1: too-large']);
});
