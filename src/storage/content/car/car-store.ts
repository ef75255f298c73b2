import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, mkdir, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { MedSealError } from '../../../errors.ts';
import { type Faults, noFaults } from '../../../faults.ts';
import type { Logger } from '../../../logger.ts';
import { lockDirectory } from '../../directory-lock.ts';
import { syncDirectory, UNFINISHED, writeDurably } from '../../files.ts';
import { parseCid } from '../cid.ts';
import type { ContentStore } from '../port.ts';
import { openBlockIndex } from './block-index.ts';
import { encodeCar, type Position, readPositions } from './car-file.ts';
import type { Car, Location } from './index-run.ts';
import { openFiles } from './open-files.ts';

export interface CarStoreOptions {
  /** Created when missing. Belongs to one process at a time. */
  readonly directory: string;
  readonly logger: Logger;
  readonly faults?: Faults;
}

export interface CarStore extends ContentStore {
  close(): Promise<void>;
}

const EXTENSION = '.car';
const OPEN_FILES = 32;

/**
 * The content store as files: `cars/ROOT.car` is one batch, which any IPFS node imports as it is (`ipfs dag import`);
 * `index/` tells where each block lies, and is made again from the CAR files when it is missing.
 *
 * @throws MedSealError `invalid-configuration` when another process uses the directory
 */
export async function openCarStore(options: CarStoreOptions): Promise<CarStore> {
  const { directory, logger, faults = noFaults } = options;
  const cars = join(directory, 'cars');
  await mkdir(cars, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(directory);
  const pathOf = (root: string) => join(cars, root + EXTENSION);
  /** Sizes of the CAR files that are there, by root. */
  const live = await listCars(cars);
  const isLive = ({ root, size }: Car) => live.get(root) === size;
  const index = await openBlockIndex({ directory: join(directory, 'index'), logger, isLive });
  const files = openFiles(OPEN_FILES);

  const addToIndex = (car: Car, positions: readonly Position[]) =>
    index.add(positions.map(({ digest, offset, length }) => ({ digest, location: { car, offset, length } })));

  const indexed = new Set(index.covered().map(({ root, size }) => `${root} ${size}`));
  for (const [root, size] of live) {
    if (!indexed.has(`${root} ${size}`)) await addToIndex({ root, size }, await readPositions(pathOf(root), logger));
  }

  /** undefined when the file was removed meanwhile. */
  async function read({ car, offset, length }: Location): Promise<Buffer | undefined> {
    try {
      return await files.read(pathOf(car.root), offset, length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !isLive(car)) return undefined;
      throw error;
    }
  }

  /** What differs is set aside, so that nobody takes it for a batch that is kept. */
  async function readBack(root: string, bytes: Uint8Array): Promise<void> {
    await faults.at('content-read-back');
    const file = await readFile(pathOf(root));
    if (file.subarray(0, faults.tear('content-read-back', file.length)).equals(bytes)) return;
    await rename(pathOf(root), `${pathOf(root)}.damaged`);
    await syncDirectory(cars);
    live.delete(root);
    files.forget(pathOf(root));
    throw new MedSealError('sealed-content-damaged', 'The content store does not give back what it was given.');
  }

  async function firstIntact(digest: Buffer): Promise<Buffer | undefined> {
    let damaged = false;
    for (const location of index.find(digest)) {
      const bytes = isLive(location.car) ? await read(location) : undefined;
      if (bytes === undefined) continue;
      if (hash('sha256', bytes, 'buffer').equals(digest)) return bytes;
      damaged = true;
    }
    if (damaged) throw new MedSealError('sealed-content-damaged', 'A sealed block is not what its CID says.');
    return undefined;
  }

  return {
    put: (batch) =>
      withStorageErrors(async () => {
        await faults.at('content-before-put');
        const { bytes, positions } = encodeCar(batch);
        const car = { root: batch.root, size: bytes.length };
        await writeDurably(pathOf(car.root), (file) => writeCar(file, bytes, faults));
        files.forget(pathOf(car.root));
        const known = isLive(car);
        live.set(car.root, car.size);
        if (!known) await addToIndex(car, positions);
        await faults.at('content-pin-unknown');
        await readBack(car.root, bytes);
        await faults.at('content-after-put');
      }),

    get: (cid) =>
      withStorageErrors(async () => {
        const digest = parseCid(cid)?.digest;
        return digest === undefined ? undefined : firstIntact(digest);
      }),

    remove: (root) =>
      withStorageErrors(async () => {
        if (!live.has(root)) return;
        await rm(pathOf(root), { force: true });
        await syncDirectory(cars);
        live.delete(root);
        files.forget(pathOf(root));
      }),

    async *roots() {
      yield* [...live.keys()];
    },

    async status() {
      try {
        const { bavail, bsize } = await statfs(cars);
        const bytes = live.values().reduce((sum, size) => sum + size, 0);
        return { reachable: true, roots: live.size, bytes, freeBytes: bavail * bsize };
      } catch (error) {
        logger.warn({ err: error }, 'the content store cannot be reached');
        return { reachable: false };
      }
    },

    async close() {
      await index.close();
      await files.close();
      lock.release();
    },
  };
}

/** What a writer that was cut short left behind is removed. */
async function listCars(directory: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of await readdir(directory)) {
    if (name.endsWith(UNFINISHED)) await rm(join(directory, name));
    const root = name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : '';
    if (parseCid(root) !== undefined) found.set(root, statSync(join(directory, name)).size);
  }
  return found;
}

async function writeCar(file: FileHandle, bytes: Uint8Array, faults: Faults): Promise<void> {
  await faults.at('disk-full').catch((cause: unknown) => {
    throw new MedSealError('storage-full', NO_SPACE, { cause });
  });
  const torn = faults.tear('content-during-put', bytes.length);
  await file.writeFile(torn === undefined ? bytes : bytes.subarray(0, torn));
  await faults.at('content-during-put');
  if (torn === undefined) await faults.at('content-before-pin');
  else throw new MedSealError('storage-unavailable', 'The drill tore a write.');
}

const NO_SPACE = 'The content store has no space left.';

async function withStorageErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MedSealError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new MedSealError('storage-full', NO_SPACE, { cause });
    if (code === 'ENOENT') {
      throw new MedSealError('sealed-content-damaged', 'A file of the content store is gone.', { cause });
    }
    throw new MedSealError('storage-unavailable', 'The content store cannot be read or written.', { cause });
  }
}
