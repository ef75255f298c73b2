import assert from 'node:assert/strict';
import { open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Random, seed } from '../../../../conformance/support/seed.ts';
import { temporaryDirectory } from '../../../../conformance/support/temporary-directory.ts';
import { until } from '../../../../conformance/support/until.ts';
import { silentLogger } from '../../../logger.ts';
import { type BlockIndex, openBlockIndex } from './block-index.ts';
import type { Car, Entry } from './index-run.ts';

const MEMORY_LIMIT = 20;

function randomEntries(random: Random, car: Car, count: number): readonly Entry[] {
  return Array.from({ length: count }, () => {
    const digest = random.bytes(32);
    // Some in the first and last buckets, and many in one, so that the edges of the tables are met.
    if (random.integer(3) === 0) digest.fill(random.pick([0x00, 0xff, 0x7f]), 0, 2);
    return { digest, location: { car, offset: random.integer(2 ** 31) * 2 ** 15, length: random.integer(2 ** 31) } };
  });
}

test('finds what a plain list finds, through flushes, merges, dead files and restarts', async (context) => {
  const random = seed(context);
  const directory = await temporaryDirectory();
  const model: Entry[] = [];
  const dead = new Set<string>();
  const reopen = () =>
    openBlockIndex({
      directory,
      logger: silentLogger,
      isLive: ({ root }) => !dead.has(root),
      memoryLimit: MEMORY_LIMIT,
    });
  let index = await reopen();
  for (let number = 0; number < 400; number++) {
    const car = { root: `root${number}`, size: number };
    const entries = randomEntries(random, car, 1 + random.integer(12));
    const [known] = model;
    const shared =
      random.integer(10) === 0 && known !== undefined ? [{ ...known, location: { ...known.location, car } }] : [];
    model.push(...entries, ...shared);
    await index.add([...entries, ...shared]);
    if (random.integer(5) === 0) dead.add(`root${random.integer(number + 1)}`);
    if (random.integer(60) === 0) {
      await index.close();
      index = await reopen();
    }
  }
  for (const { digest } of model) assertFinds(index, digest, model, dead);
  assert.deepEqual(index.find(random.bytes(32)), []);
  await until('runs are merged', async () => (await readdir(directory)).length < 25);
  for (const { digest } of model) assertFinds(index, digest, model, dead);
  await index.close();

  index = await reopen();
  const covered = new Set(index.covered().map(({ root }) => root));
  for (const { location } of model) assert.ok(dead.has(location.car.root) || covered.has(location.car.root));
  await index.close();
});

test('what is torn or unfinished is removed, and no longer covered', async (context) => {
  const directory = await temporaryDirectory();
  const options = { directory, logger: silentLogger, isLive: () => true };
  const entries = randomEntries(seed(context), { root: 'one', size: 1 }, 30);
  const filled = async () => {
    const index = await openBlockIndex(options);
    await index.add(entries);
    await index.close();
    const [name = ''] = await readdir(directory);
    return join(directory, name);
  };
  const damages: readonly ((path: string) => Promise<void>)[] = [
    (path) => truncate(path, 10),
    (path) => truncate(path, 300_000 - 1),
    (path) => writeFile(path, ''),
    (path) => overwrite(path, 5),
    (path) => overwrite(path, 20),
    (path) => overwrite(path, 48 + 65_535 * 4),
    (path) => writeFile(`${path}.1.unfinished`, 'x').then(() => rm(path)),
  ];
  for (const damage of damages) {
    await damage(await filled());
    const index = await openBlockIndex(options);
    assert.deepEqual(index.covered(), [], damage.toString());
    assert.deepEqual(await readdir(directory), []);
    await index.close();
  }
});

function assertFinds(index: BlockIndex, digest: Buffer, model: readonly Entry[], dead: ReadonlySet<string>): void {
  const live = (entries: readonly Entry['location'][]) =>
    entries.filter(({ car }) => !dead.has(car.root)).toSorted((one, other) => one.car.size - other.car.size);
  const expected = model.filter((entry) => entry.digest.equals(digest)).map(({ location }) => location);
  assert.deepEqual(live(index.find(digest)), live(expected));
}

async function overwrite(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
  buffer[0] = (buffer[0] ?? 0) ^ 0xff;
  await file.write(buffer, 0, 1, offset);
  await file.close();
}
