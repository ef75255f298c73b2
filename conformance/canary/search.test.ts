/** What the canary test looks with finds what it should. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { MARKER } from './plant.ts';
import { digestNeedles, findBelow, findIn, textNeedles } from './search.ts';

const NEEDLES = textNeedles(MARKER);

test('a text is found however it is written, and wherever it begins', (t) => {
  const random = seed(t);
  for (let offset = 0; offset < 12; offset++) {
    const around = (inner: Buffer) => Buffer.concat([random.bytes(offset), inner, random.bytes(random.integer(9))]);
    const plain = around(Buffer.from(MARKER));
    for (const [form, bytes] of Object.entries({
      plain,
      capitals: Buffer.from(plain.toString('latin1').toUpperCase(), 'latin1'),
      base64: around(Buffer.from(plain.toString('base64'))),
      base64url: around(Buffer.from(plain.toString('base64url'))),
      hex: around(Buffer.from(plain.toString('hex'))),
      utf16: around(Buffer.from(MARKER, 'utf16le')),
    })) {
      assert.ok(findIn(bytes, 'here', NEEDLES).length > 0, `${form} at ${offset}`);
    }
  }
  assert.deepEqual(findIn(random.bytes(1_000_000), 'here', NEEDLES), []);
});

test('a digest is found as bytes, as an integer and as text', () => {
  const needles = digestNeedles('110101198001011234', 'an identity card');
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
    const digest = hash(algorithm, '110101198001011234', 'buffer');
    for (const bytes of [digest, Buffer.from(digest.toString('hex')), Buffer.from(digest.subarray(0, 8)).reverse()]) {
      assert.ok(findIn(Buffer.concat([Buffer.alloc(3), bytes]), 'here', needles)[0]?.includes(algorithm));
    }
  }
});

test('files are looked into, and at their names, at any depth', async () => {
  const directory = await temporaryDirectory();
  mkdirSync(join(directory, 'a/b'), { recursive: true });
  writeFileSync(join(directory, 'a/b/plain'), `x${MARKER}`);
  writeFileSync(join(directory, `a/${MARKER}`), '');
  const { found, files } = findBelow(directory, NEEDLES);
  assert.equal(files, 2);
  assert.equal(found.length, 2);
});
