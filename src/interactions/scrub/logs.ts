import type { ContentStore } from '../../storage/content/port.ts';
import type { Database } from '../../storage/database/port.ts';
import { type LogKey, readTiles } from '../../storage/log/tiles.ts';
import {
  type ScrubBatch,
  type ScrubLeaf,
  selectBatchPage,
  selectLeafPage,
  selectLogs,
} from '../../storage/trail/scrub.ts';
import type { AccessTrail } from '../../trail/access-trail.ts';
import { LOG_NUMBER, type LogName } from '../../trail/leaf.ts';
import type { PastLedger } from '../../trail/ledger/embedded/past.ts';
import type { Ledger } from '../../trail/ledger/port.ts';
import { type Appended, appendLeaves, EMPTY_TREE, rootOf, type TreeState } from '../../trail/merkle/append.ts';
import type { Tile } from '../../trail/merkle/tiles.ts';
import { checkCarried } from './carried.ts';
import { checkDropped, readDropped } from './drops.ts';
import { type Counts, type Finding, finding, type Progress, progress } from './events.ts';
import { checkManifest } from './manifests.ts';
import { batchOf, mended } from './mend.ts';

export interface LogCheck {
  readonly database: Database;
  readonly content: ContentStore;
  readonly ledger: Ledger;
  readonly past?: PastLedger | undefined;
  readonly institutionName: (id: number) => string;
  /** Opens an entry of the access log, with keys as they are stored now. */
  readonly openAccess: AccessTrail['open'];
  /** Whether what the content store lost is to be put there again. */
  readonly mend: boolean;
  readonly counts: Counts;
}

/** A log as findings name it. */
export interface NamedLog extends LogKey {
  readonly institution: number;
  readonly place: { readonly institution: string; readonly log: LogName };
}

const BATCHES = 100;
const LEAVES = 500;

/** Every log from its first leaf on: numbers, tiles, roots, and what the content store has of each batch. */
export async function* checkLogs(check: LogCheck): AsyncGenerator<Finding | Progress> {
  for (const key of await selectLogs(check.database)) {
    const log = namedLog(check, key);
    yield* checkLog(check, log);
    yield* checkCarried(check, log);
  }
}

function namedLog({ institutionName }: Pick<LogCheck, 'institutionName'>, key: LogKey): NamedLog {
  const log = key.log === LOG_NUMBER.records ? 'records' : 'access';
  return { ...key, place: { institution: institutionName(key.institution), log } };
}

async function* checkLog(check: LogCheck, log: NamedLog): AsyncGenerator<Finding | Progress> {
  let tree: TreeState | undefined = EMPTY_TREE;
  let size = 0n;
  const tilesTold = new Set<string>();
  let dropped = yield* checkDropped(check, log);
  for (;;) {
    const page = await selectBatchPage(check.database, log, size, BATCHES);
    if (page.length === 0) return yield* checkEnd(check, log, size);
    for (const batch of page) {
      if (batch.first !== size) yield finding('batch-gap', { ...log.place, batch: Number(batch.size) });
      const leaves = await batchLeaves(check.database, log, batch);
      dropped = await droppedBy(check, log, leaves, dropped);
      yield* checkNumbers(log, batch, leaves, dropped);
      const appended = appendedBy(batch, leaves, tree);
      tree = appended?.state;
      if (appended !== undefined) {
        const isRoot = batch.root.equals(rootOf(appended.state));
        if (!isRoot) yield finding('batch-root-differs', { ...log.place, batch: Number(batch.size) });
        yield* checkTiles(check, log, appended.tiles, tilesTold);
      }
      const { manifest } = batch;
      if (manifest !== null) {
        const found = checkManifest(check, log, batch, manifest, leaves);
        yield* mended(check, found, () => batchOf(check, log, batch), manifest);
      }
      size = batch.size;
      check.counts.batches += 1;
      yield progress('logs', check.counts.batches);
    }
  }
}

/** Leaves and their batch come together, so a leaf behind the last batch that still has none belongs nowhere. */
async function* checkEnd({ database }: LogCheck, log: NamedLog, size: bigint): AsyncGenerator<Finding> {
  const [leaf] = await selectLeafPage(database, log, size, 1);
  if (leaf === undefined || (await selectBatchPage(database, log, size, 1)).length > 0) return;
  yield finding('leaf-without-batch', { ...log.place, leaf: Number(leaf.number) });
}

/** The leaves of one batch: a few thousand hashes and envelopes at most. */
async function batchLeaves(database: Database, log: NamedLog, batch: ScrubBatch): Promise<readonly ScrubLeaf[]> {
  const leaves: ScrubLeaf[] = [];
  for (let from = batch.first; from < batch.size; ) {
    const wanted = Math.min(LEAVES, Number(batch.size - from));
    const page = (await selectLeafPage(database, log, from, wanted)).filter(({ number }) => number < batch.size);
    const last = page.at(-1);
    if (last === undefined) break;
    leaves.push(...page);
    from = last.number + 1n;
  }
  return leaves;
}

/** More may have been dropped since the scrub began. */
async function droppedBy(check: LogCheck, log: NamedLog, leaves: readonly ScrubLeaf[], known: bigint): Promise<bigint> {
  return leaves.some((leaf) => isLost(leaf, known)) ? ((await readDropped(check, log)) ?? known) : known;
}

/** Whether a leaf has no row, nor was it dropped. */
function isLost({ number, rowHash }: ScrubLeaf, dropped: bigint): boolean {
  return rowHash === null && number >= dropped;
}

/** @param dropped the entries of leaves below this are gone, as the log itself says */
function* checkNumbers(
  log: NamedLog,
  batch: ScrubBatch,
  leaves: readonly ScrubLeaf[],
  dropped: bigint,
): Generator<Finding> {
  let expected = batch.first;
  for (const leaf of leaves) {
    const { number } = leaf;
    const place = { ...log.place, leaf: Number(number) };
    if (number !== expected) yield finding('leaf-gap', { ...place, count: Number(number - expected) });
    if (isLost(leaf, dropped)) yield finding('leaf-without-row', place);
    expected = number + 1n;
  }
  if (expected < batch.size) {
    yield finding('leaf-gap', { ...log.place, leaf: Number(expected), count: Number(batch.size - expected) });
  }
}

/**
 * The tree with the batch's leaves. A leaf that differs from its row, which is told of elsewhere, counts as what its row
 * says where that gives the batch's root, so that one damage is not told of again at every hash above it.
 *
 * @returns undefined when there is nothing to go on from: leaves are missing
 */
function appendedBy(
  batch: ScrubBatch,
  leaves: readonly ScrubLeaf[],
  tree: TreeState | undefined,
): Appended | undefined {
  if (tree?.size !== Number(batch.first) || leaves.length !== Number(batch.size - batch.first)) return undefined;
  const hashes = leaves.map(({ hash }) => hash);
  const logged = appendLeaves(tree, hashes);
  if (batch.root.equals(rootOf(logged.state))) return logged;
  const inRows = appendLeaves(
    tree,
    leaves.map(({ hash, rowHash }) => rowHash ?? hash),
  );
  return batch.root.equals(rootOf(inRows.state)) ? inRows : logged;
}

/** A stored tile begins with what the leaves so far give; it may have grown since. Each is told of once. */
async function* checkTiles(
  { database }: LogCheck,
  log: NamedLog,
  tiles: readonly Tile[],
  told: Set<string>,
): AsyncGenerator<Finding> {
  const reader = {
    query: <Row>(text: string, values?: readonly unknown[]) => database.query<Row>('writer', text, values),
  };
  const nameOf = ({ level, index }: { level: number; index: number }) => `${level}/${index}`;
  const stored = new Map((await readTiles(reader, log, tiles)).map((tile) => [nameOf(tile), tile.hashes]));
  for (const tile of tiles) {
    const name = nameOf(tile);
    const hashes = Buffer.from(stored.get(name) ?? []);
    if (hashes.subarray(0, tile.hashes.length).equals(tile.hashes) || told.has(name)) continue;
    told.add(name);
    yield finding('tile-differs', { ...log.place, tile: name });
  }
}
