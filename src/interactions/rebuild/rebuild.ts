import { MedSealError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Institution, InstitutionDirectory } from '../../repository/institutions.ts';
import type { ContentStore } from '../../storage/content/port.ts';
import type { LogKey } from '../../storage/log/tiles.ts';
import { foldBatches } from '../../storage/trail/carried.ts';
import { selectAnchored, selectBatch, setAnchored, setManifest } from '../../storage/trail/log.ts';
import { selectLogSize } from '../../storage/trail/replay.ts';
import { type Anchor, ownAnchors } from '../../trail/anchors.ts';
import { type CarriedManifest, readCarried } from '../../trail/carried.ts';
import { LOG_NUMBER } from '../../trail/leaf.ts';
import type { Ledger } from '../../trail/ledger/port.ts';
import { readManifest } from '../../trail/manifest.ts';
import type { Reconciler } from '../../trail/reconcile.ts';
import type { RebuildEvent, RebuildSummary } from './events.ts';
import { eventsUpTo, type PlacedAnchor } from './ledger-events.ts';
import { type BatchReplayOptions, type ReplayedCounts, replayBatch } from './replay-batch.ts';

/**
 * `medseal rebuild`: makes of the records database again what ledger, content store and key service know beyond it, from
 * an older backup or from nothing (DESIGN §4). Versions, consent rules and leaves come back as they were; entries of the
 * access log come back as leaves only, since their details lie nowhere else.
 */
export interface Rebuild {
  /**
   * Goes through the ledger's anchors in their order, batch by batch. What it has done stays when it is stopped, and the
   * next run goes on from there. At the end writes are accepted again. One at a time.
   *
   * @throws MedSealError `rate-limited` when one is under way
   */
  run(): AsyncGenerator<RebuildEvent>;
}

export interface RebuildOptions extends BatchReplayOptions {
  readonly ledger: Ledger;
  readonly content: Pick<ContentStore, 'get'>;
  readonly institutions: InstitutionDirectory;
  /** Makes one that only the ledger knows. */
  readonly addInstitution: (name: string) => Promise<void>;
  readonly reconciler: Reconciler;
  readonly logger: Logger;
}

export function createRebuild(options: RebuildOptions): Rebuild {
  let running = false;

  /** The answer has begun when something goes wrong, so that this, too, is told in it. */
  async function* guarded(): AsyncGenerator<RebuildEvent> {
    if (running) return yield { event: 'failure', text: UNDER_WAY };
    // Here and not before: whoever hangs up before the first event never comes to the end below.
    running = true;
    try {
      yield* rebuild(options);
    } catch (error) {
      options.logger.error({ err: error }, 'a rebuild could not be brought to an end');
      const text = error instanceof MedSealError ? error.message : 'something went wrong; it has been logged';
      yield { event: 'failure', text };
    } finally {
      running = false;
    }
  }

  return {
    run() {
      if (running) throw new MedSealError('rate-limited', UNDER_WAY);
      return guarded();
    },
  };
}

const UNDER_WAY = 'A rebuild is under way already';

type Counts = {
  -readonly [Name in keyof RebuildSummary as RebuildSummary[Name] extends number ? Name : never]: number;
};

async function* rebuild(options: RebuildOptions): AsyncGenerator<RebuildEvent> {
  const { ledger, reconciler } = options;
  // Also mends what needs no replay, so that blocks recorded here are those of the ledger.
  await reconciler.run();
  const heads = await ownAnchors(ledger);
  const total = sumOf([...heads.values()].map((head) => head.size));
  const counts: Counts = {
    institutions: 0,
    replayed: 0,
    recorded: 0,
    versions: 0,
    waiting: 0,
    keyless: 0,
    accessOnly: 0,
  };
  const { sizes, from } = await whereLogsAre(options, heads);
  for await (const event of eventsUpTo(ledger, heads, from)) {
    if (event.kind === 'institution') {
      counts.institutions += await ensureInstitution(options, event.name);
    } else if (await advance(options, event, counts)) {
      const { institution, log, size } = event.anchor;
      const name = `${institution} ${log}`;
      // A batch that was here, and is only now known to be anchored, may not be the log's last.
      sizes.set(name, Math.max(size, sizes.get(name) ?? 0));
      yield { event: 'progress', institution, log, done: sumOf(sizes.values()), total };
    }
  }
  await reconciler.run();
  yield { event: 'summary', ...counts, fence: reconciler.reason ?? null };
}

/** @returns how many were made */
async function ensureInstitution({ institutions, addInstitution }: RebuildOptions, name: string): Promise<number> {
  if (institutions.find(name) !== undefined) return 0;
  await addInstitution(name);
  return 1;
}

/** How much of each log is here, and the block up to which nothing is lacking. */
async function whereLogsAre(
  options: RebuildOptions,
  heads: ReadonlyMap<string, Anchor>,
): Promise<{ readonly sizes: Map<string, number>; readonly from: bigint }> {
  const { database, institutions } = options;
  const sizes = new Map<string, number>();
  let from: bigint | undefined;
  for (const [name, { institution, log, size }] of heads) {
    const id = institutions.find(institution)?.id;
    const key = id === undefined ? undefined : { institution: id, log: LOG_NUMBER[log] };
    sizes.set(name, key === undefined ? 0 : Math.min(size, await selectLogSize(database, key)));
    const block = key === undefined ? 0n : await anchoredBlock(options, key);
    if (from === undefined || block < from) from = block;
  }
  return { sizes, from: from ?? 0n };
}

/** The block from which on a log's anchors may be unknown here. Of an anchor on another ledger it says nothing. */
async function anchoredBlock({ database, ledger }: RebuildOptions, key: LogKey): Promise<bigint> {
  const newest = await selectAnchored(database, key);
  if (newest === undefined || newest.transactionId === null) return 0n;
  return (await ledger.find(newest.transactionId))?.block ?? 0n;
}

function logOf(
  { institutions }: Pick<RebuildOptions, 'institutions'>,
  anchor: Anchor,
): { readonly institution: Institution; readonly key: LogKey } {
  const institution = institutions.find(anchor.institution);
  if (institution === undefined) throw new MedSealError('internal', 'The ledger anchors a log of no institution');
  return { institution, key: { institution: institution.id, log: LOG_NUMBER[anchor.log] } };
}

/**
 * Brings the database to one anchor of one log.
 *
 * @returns false when it was there already
 */
async function advance(options: RebuildOptions, placed: PlacedAnchor, counts: Counts): Promise<boolean> {
  const { database, content } = options;
  const { anchor, block } = placed;
  const { institution, key } = logOf(options, anchor);
  const batch = await selectBatch(database, key, anchor.size);
  if (batch === undefined || batch.manifest !== anchor.manifest) {
    const carried = anchor.sequence === 1 ? await readCarried(content, anchor.manifest) : undefined;
    if (carried !== undefined) return advanceCarried(options, placed, carried, counts);
  }
  if (batch === undefined) {
    const manifest = await readManifest(content, anchor.manifest);
    if (manifest.institution !== anchor.institution || manifest.log !== anchor.log || manifest.size !== anchor.size) {
      throw new MedSealError('sealed-content-damaged', 'A manifest is not of the batch that the ledger anchors');
    }
    add(counts, await replayBatch(options, institution, placed, manifest));
    counts.replayed += 1;
    return true;
  }
  if (batch.root.toString('hex') !== anchor.root) {
    throw new MedSealError('version-conflict', 'The database has numbered leaves otherwise than the ledger');
  }
  if (batch.anchoredAt !== null) return false;
  await setManifest(database, batch, anchor.manifest);
  await setAnchored(database, batch, { transactionId: anchor.transactionId, block, at: anchor.time });
  counts.recorded += 1;
  return true;
}

/**
 * Brings the database to the anchor that a log was carried over with: batch by batch as they were sealed while another
 * ledger anchored them, then in the one that has taken their place.
 */
async function advanceCarried(
  options: RebuildOptions,
  { kind, anchor, block }: PlacedAnchor,
  carried: CarriedManifest,
  counts: Counts,
): Promise<boolean> {
  const { institution, log, size } = carried;
  if (institution !== anchor.institution || log !== anchor.log || size !== anchor.size) {
    throw new MedSealError('sealed-content-damaged', 'A manifest is not of the log that the ledger anchors');
  }
  const { key } = logOf(options, anchor);
  for (const batch of carried.batches) {
    const part = { size: batch.size, root: Buffer.from(batch.root).toString('hex'), manifest: batch.manifest };
    // The second of one batch would be the one that stands for all.
    await advance(options, { kind, anchor: { ...anchor, ...part, sequence: NOT_FIRST }, block }, counts);
  }
  const { manifest, transactionId, time: at } = anchor;
  await foldBatches(options.database, key, size, { manifest, transactionId, block, at });
  return true;
}

const NOT_FIRST = 2;

function add(counts: Counts, { versions, waiting, keyless, accessOnly }: ReplayedCounts): void {
  counts.versions += versions;
  counts.waiting += waiting;
  counts.keyless += keyless;
  counts.accessOnly += accessOnly;
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
