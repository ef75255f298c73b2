import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { Client } from 'pg';
import { testDatabase } from '../../../conformance/support/test-database.ts';
import { MedSealError } from '../../errors.ts';
import { readTiles, type StoredTile, writeTiles } from './tiles.ts';

const HASHES = Array.from({ length: 256 }, () => randomBytes(32));

function tile(level: number, index: number, count: number): StoredTile {
  return { level, index, hashes: Buffer.concat(HASHES.slice(0, count)) };
}

async function logs(test: TestContext) {
  const { database, recordsUrl } = await testDatabase(test);
  const superuser = new Client({ connectionString: recordsUrl });
  await superuser.connect();
  const { rows } = await superuser.query("insert into institution (name) values ('a'), ('b') returning id");
  await superuser.end();
  const [a, b] = rows.map((row) => ({ institution: Number(row.id), log: 1 }));
  assert.ok(a && b);
  return { database, a, b };
}

const sorted = (tiles: readonly StoredTile[]) =>
  tiles.map(({ level, index, hashes }) => `${level}/${index} ${Buffer.from(hashes).toString('hex')}`).sort();

describe('tiles of a log', () => {
  it('are read as they were written, of their own log only', async (test) => {
    const { database, a, b } = await logs(test);
    const written = [tile(0, 0, 256), tile(0, 1, 3), tile(1, 0, 1), tile(0, 2 ** 40, 5)];
    await database.transaction('writer', async (sql) => {
      await writeTiles(sql, a, written);
      await writeTiles(sql, { ...a, log: 2 }, [tile(0, 0, 7)]);
      await writeTiles(sql, b, []);
      assert.deepEqual(sorted(await readTiles(sql, a, written)), sorted(written));
      assert.deepEqual(await readTiles(sql, a, [{ level: 1, index: 1 }]), []);
      assert.deepEqual(await readTiles(sql, a, []), []);
      assert.deepEqual(await readTiles(sql, b, written), []);
      assert.deepEqual(sorted(await readTiles(sql, { ...a, log: 2 }, written)), sorted([tile(0, 0, 7)]));
    });
  });

  it('grow, and do nothing else', async (test) => {
    const { database, a } = await logs(test);
    const write = (...tiles: StoredTile[]) => database.transaction('writer', (sql) => writeTiles(sql, a, tiles));
    await write(tile(0, 0, 3));
    await write(tile(0, 0, 5), tile(0, 1, 1));
    const refused = (error: unknown) => error instanceof MedSealError && error.code === 'internal';
    const other = { ...tile(0, 0, 6), hashes: randomBytes(6 * 32) };
    for (const tiles of [[tile(0, 0, 5)], [tile(0, 0, 4)], [other], [tile(0, 2, 1), other], [tile(0, 3, 0)]]) {
      await assert.rejects(write(...tiles), refused);
    }
    const stored = await database.transaction('writer', (sql) =>
      readTiles(
        sql,
        a,
        [0, 1, 2, 3].map((index) => ({ level: 0, index })),
      ),
    );
    assert.deepEqual(sorted(stored), sorted([tile(0, 0, 5), tile(0, 1, 1)]));
  });
});
