import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedCoding } from './compression.ts';

for (const [header, coding] of [
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['deflate', undefined],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['br', 'br'],
  ['gzip, deflate, br, zstd', 'gzip'],
  ['gzip;q=0.5, br', 'br'],
  ['gzip;q=1.0, br;q=0.5', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0, gzip;q=0.000', undefined],
  ['*', 'gzip'],
  ['gzip;q=0, *', 'br'],
  ['gzip;q=nonsense', undefined],
] as const) {
  test(`Accept-Encoding ${header} is answered with ${coding ?? 'no coding'}`, () =>
    assert.equal(acceptedCoding(header), coding));
}
