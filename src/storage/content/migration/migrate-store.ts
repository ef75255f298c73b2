import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MedSealError } from '../../../errors.ts';
import { readBatch } from '../car/read-batch.ts';
import { parseCid } from '../cid.ts';
import type { ContentStore } from '../port.ts';

/** How the migration is getting on. */
export type MigrationEvent =
  | { readonly event: 'progress'; readonly done: number; readonly total: number }
  /** A batch that was not taken over, and why. It stays where it is. */
  | { readonly event: 'failure'; readonly root: string; readonly code: string; readonly text: string }
  | {
      readonly event: 'summary';
      readonly copied: number;
      /** Kept there already, as after an earlier run. */
      readonly there: number;
      readonly failed: number;
    };

export interface MigrationOptions {
  /** The content directory of a CAR store. Only read, and without its lock: its files never change once they are there. */
  readonly directory: string;
  readonly target: Pick<ContentStore, 'put'>;
  /** Roots that the target keeps as well as it can; those are not copied again. */
  readonly kept: AsyncIterable<string>;
}

const EXTENSION = '.car';
/** Batches under way together. */
const LANES = 2;

/**
 * Copies every batch of a CAR store to another one. Each is verified twice: every block of the file against its CID, and
 * by the target's own read-back. What it was stopped in is simply done again.
 *
 * @throws MedSealError `storage-unavailable` or `storage-full` when the target is gone or full: more of it is no use
 */
export async function* migrateStore({ directory, target, kept }: MigrationOptions): AsyncGenerator<MigrationEvent> {
  const files = await rootsOf(join(directory, 'cars'));
  const there = new Set<string>();
  for await (const root of kept) if (files.has(root)) there.add(root);
  const total = files.size;
  const missing = [...files].filter((root) => !there.has(root));
  let copied = 0;
  let failed = 0;
  for (let at = 0; at < missing.length; at += LANES) {
    yield { event: 'progress', done: there.size + at, total };
    const lanes = missing
      .slice(at, at + LANES)
      .map((root) => copy(join(directory, 'cars', root + EXTENSION), root, target));
    for (const failure of await Promise.all(lanes)) {
      if (failure === undefined) copied += 1;
      else {
        failed += 1;
        yield failure;
      }
    }
  }
  yield { event: 'summary', copied, there: there.size, failed };
}

async function rootsOf(cars: string): Promise<ReadonlySet<string>> {
  try {
    const names = (await readdir(cars)).filter((name) => name.endsWith(EXTENSION));
    return new Set(
      names.map((name) => name.slice(0, -EXTENSION.length)).filter((root) => parseCid(root) !== undefined),
    );
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new MedSealError('invalid-configuration', `There are no CAR files in ${cars}.`, { cause });
  }
}

/** @returns why it could not be copied, where that is this batch's own fault */
async function copy(
  path: string,
  root: string,
  target: MigrationOptions['target'],
): Promise<Extract<MigrationEvent, { event: 'failure' }> | undefined> {
  try {
    const batch = readBatch(await readFile(path));
    if (batch.root !== root)
      throw new MedSealError('sealed-content-damaged', 'A CAR holds another batch than its name says.');
    await target.put(batch);
    return undefined;
  } catch (error) {
    if (!(error instanceof MedSealError) || !OWN_FAULTS.has(error.code)) throw error;
    return { event: 'failure', root, code: error.code, text: error.message };
  }
}

const OWN_FAULTS: ReadonlySet<string> = new Set(['sealed-content-damaged', 'internal']);
