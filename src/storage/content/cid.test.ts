import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { decode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { seed } from '../../../conformance/support/seed.ts';
import { type Codec, cidOf, cidOfDigest, indexBlock, matchesCid, parseCid } from './cid.ts';

const CODES = { raw: 0x55, 'dag-cbor': 0x71 } as const;
const CODECS: readonly Codec[] = ['raw', 'dag-cbor'];

test('writes the same text as multiformats, and reads it back', (context) => {
  const random = seed(context);
  const digests = [Buffer.alloc(32), Buffer.alloc(32, 0xff), ...Array.from({ length: 500 }, () => random.bytes(32))];
  for (const digest of digests) {
    for (const codec of CODECS) {
      const text = cidOfDigest(codec, digest);
      assert.equal(text, CID.createV1(CODES[codec], create(0x12, digest)).toString());
      assert.deepEqual(parseCid(text), { codec, digest });
    }
  }
});

test('names a block by the sha2-256 of its bytes, empty ones included', (context) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('sealed'), seed(context).bytes(5000)]) {
    const cid = cidOf('raw', bytes);
    assert.equal(parseCid(cid)?.digest.toString('hex'), hash('sha256', bytes));
    assert.ok(matchesCid(cid, bytes));
    assert.ok(!matchesCid(cid, Buffer.concat([bytes, Buffer.from([0])])));
  }
});

test('reads no other form', () => {
  const text = cidOf('raw', Buffer.from('x'));
  const others = [
    '',
    text.slice(0, -1),
    `${text}a`,
    text.toUpperCase(),
    `z${text.slice(1)}`,
    `${text.slice(0, 20)}1${text.slice(21)}`,
    `${text.slice(0, 20)}é${text.slice(21)}`,
    CID.createV1(0x70, create(0x12, Buffer.alloc(32))).toString(), // dag-pb
    CID.createV1(0x55, create(0x1e, Buffer.alloc(32))).toString(), // blake3
    CID.createV0(create(0x12, Buffer.alloc(32))).toString(),
  ];
  for (const other of others) assert.equal(parseCid(other), undefined, other);
  // Two spare bits in the last letter: another letter that decodes to the same bytes is refused.
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const twins = [1, 2, 3].map((spare) => alphabet[alphabet.indexOf(text.slice(-1)) ^ spare]);
  for (const twin of twins) assert.equal(parseCid(`${text.slice(0, -1)}${twin}`), undefined);
});

test('an index block links to its parts in order', () => {
  const cids = [cidOf('raw', Buffer.from('1')), cidOf('raw', Buffer.from('2'))];
  const links = decode<CID[]>(indexBlock(cids));
  assert.deepEqual(
    links.map((link) => link.toString()),
    cids,
  );
});
