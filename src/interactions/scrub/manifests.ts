import { MedSealError } from '../../errors.ts';
import { cidOfDigest, parseCid, readIndexBlock } from '../../storage/content/cid.ts';
import type { ContentStore } from '../../storage/content/port.ts';
import type { ScrubBatch, ScrubLeaf } from '../../storage/trail/scrub.ts';
import { type Manifest, readManifest } from '../../trail/manifest.ts';
import { type Finding, type FindingKind, finding } from './events.ts';
import type { LogCheck, NamedLog } from './logs.ts';

/** Blocks that are read at once. */
const CONCURRENCY = 8;

/** What the content store has of a batch: its manifest, and every sealed block that its rows go by. */
export async function* checkManifest(
  check: LogCheck,
  log: NamedLog,
  batch: ScrubBatch,
  cid: string,
  leaves: readonly ScrubLeaf[],
): AsyncGenerator<Finding> {
  const place = { ...log.place, batch: Number(batch.size), cid };
  const manifest = await readIntact(check.content, cid);
  if (manifest === undefined) yield finding('manifest-missing', place);
  else if (manifest === 'damaged') yield finding('manifest-damaged', place);
  else if (isWhole(batch, leaves) && !lists(manifest, log, batch, leaves)) yield finding('manifest-differs', place);
  const cids = typeof manifest === 'object' ? manifest.entries.map((entry) => entry.content) : leaves.map(contentOf);
  const states = await readAll(
    check,
    cids.filter((one) => one !== undefined),
  );
  for (const [kind, cids] of states) {
    yield finding(kind, { ...place, cid: cids[0] ?? cid, count: cids.length });
  }
}

/** What an unreadable manifest would have named; the content store finds a block by its digest, whatever its codec. */
function contentOf({ digest }: ScrubLeaf): string | undefined {
  return digest === null ? undefined : cidOfDigest('raw', digest);
}

/** undefined when it is not there; `damaged` also when a page of it is not. */
async function readIntact(content: ContentStore, cid: string): Promise<Manifest | 'damaged' | undefined> {
  const root = await readBlock(content, cid);
  if (root === undefined || root === 'damaged') return root;
  try {
    return await readManifest(content, cid);
  } catch (error) {
    if (isDamage(error)) return 'damaged';
    throw error;
  }
}

/** Leaves that are missing are told of elsewhere, and nothing can be compared with them. */
function isWhole({ first, size }: ScrubBatch, leaves: readonly ScrubLeaf[]): boolean {
  return leaves.length === Number(size - first);
}

function lists(manifest: Manifest, { place }: NamedLog, batch: ScrubBatch, leaves: readonly ScrubLeaf[]): boolean {
  const { institution, log, first, size, entries } = manifest;
  const isOfBatch =
    institution === place.institution &&
    log === place.log &&
    BigInt(first) === batch.first &&
    BigInt(size) === batch.size &&
    entries.length === leaves.length;
  return isOfBatch && entries.every((entry, index) => isOfLeaf(entry, leaves[index]));
}

/** A leaf that differs from its row is told of elsewhere; the manifest was made when they agreed. */
function isOfLeaf({ leaf, content, envelope }: Manifest['entries'][number], row: ScrubLeaf | undefined): boolean {
  if (row === undefined) return false;
  const isLogged = row.hash.equals(leaf) || row.rowHash?.equals(leaf) === true;
  // Its row is gone, which is told of elsewhere.
  if (row.rowHash === null) return isLogged;
  const digest = content === undefined ? undefined : parseCid(content)?.digest;
  const sameContent = row.digest === null ? digest === undefined : digest?.equals(row.digest) === true;
  return isLogged && sameContent && (envelope ?? null) === row.envelope;
}

/** Every block, those that an index block links to included: the ones that are missing, and the ones that are damaged. */
async function readAll(
  { content, counts }: LogCheck,
  cids: readonly string[],
): Promise<ReadonlyMap<FindingKind, readonly string[]>> {
  const found = new Map<FindingKind, string[]>();
  const tell = (kind: FindingKind, cid: string): void => void found.set(kind, [...(found.get(kind) ?? []), cid]);
  const check = async (cid: string): Promise<void> => {
    counts.blocks += 1;
    const bytes = await readBlock(content, cid);
    if (bytes === undefined) return tell('block-missing', cid);
    if (bytes === 'damaged') return tell('block-damaged', cid);
    if (parseCid(cid)?.codec === 'dag-cbor') for (const segment of readIndexBlock(bytes)) await check(segment);
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let cid = cids[next++]; cid !== undefined; cid = cids[next++]) await check(cid);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return found;
}

async function readBlock(content: ContentStore, cid: string): Promise<Uint8Array | 'damaged' | undefined> {
  try {
    return await content.get(cid);
  } catch (error) {
    if (isDamage(error)) return 'damaged';
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof MedSealError && error.code === 'sealed-content-damaged';
}
