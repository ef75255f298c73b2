/**
 * A process for the drills of content-store-contract.ts to kill: opens a content store as its argument (JSON) says, and
 * puts batch after batch. Prints the number of each once it is kept.
 */
import { writeSync } from 'node:fs';
import { type CrashPoint, type Faults, noFaults } from '../../src/faults.ts';
import { silentLogger } from '../../src/logger.ts';
import { openCarStore } from '../../src/storage/content/car/car-store.ts';
import { cidOf, indexBlock } from '../../src/storage/content/cid.ts';
import { openKuboStore } from '../../src/storage/content/kubo/kubo-store.ts';
import type { Batch, ContentStore } from '../../src/storage/content/port.ts';
import { randomOf } from '../support/seed.ts';

export type ContentPlace =
  | { readonly kind: 'car'; readonly directory: string }
  | { readonly kind: 'kubo'; readonly apis: readonly string[] };

export interface PutterArguments {
  readonly place: ContentPlace;
  readonly seed: number;
  /** Where to end by `kill -9`, in which batch, and how much of a write gets through (of 1000). */
  readonly die?: { readonly point: CrashPoint; readonly batch: number; readonly torn?: number };
}

export interface OpenContentStore extends ContentStore {
  close(): Promise<void>;
}

export async function openContentPlace(place: ContentPlace, faults: Faults = noFaults): Promise<OpenContentStore> {
  const options = { logger: silentLogger, faults };
  if (place.kind === 'car') return openCarStore({ ...options, directory: place.directory });
  return openKuboStore({ ...options, apis: place.apis });
}

/** The same batch for the same seed and number: some blocks of some kB, and a root that links to them. */
export function batchOf(seed: number, number: number): Batch {
  const random = randomOf(seed + number * 7919);
  return batchOfBlocks(Array.from({ length: 1 + random.integer(8) }, () => random.bytes(1 + random.integer(3000))));
}

/** Raw blocks under a root that links to them, which comes last. */
export function batchOfBlocks(contents: readonly Uint8Array[]): Batch {
  const blocks = contents.map((bytes) => ({ cid: cidOf('raw', bytes), bytes }));
  const manifest = indexBlock(blocks.map(({ cid }) => cid));
  const root = cidOf('dag-cbor', manifest);
  return { root, blocks: [...blocks, { cid: root, bytes: manifest }] };
}

async function put({ place, seed, die }: PutterArguments): Promise<void> {
  let number = 0;
  const dies = (point: CrashPoint) => die?.point === point && die.batch === number;
  const store = await openContentPlace(place, {
    async at(point) {
      if (dies(point)) process.kill(process.pid, 'SIGKILL');
    },
    tear: (point, length) =>
      dies(point) && die?.torn !== undefined ? Math.floor((length * die.torn) / 1000) : undefined,
  });
  for (; ; number++) {
    await store.put(batchOf(seed, number));
    writeSync(1, `${number}\n`);
  }
}

if (import.meta.main) await put(JSON.parse(process.argv[2] ?? '') as PutterArguments);
