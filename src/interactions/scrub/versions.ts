import { hash } from 'node:crypto';
import { MedSealError } from '../../errors.ts';
import type { RecordOpener } from '../../repository/records.ts';
import { contentBlocks, envelopeKid } from '../../sealing/version.ts';
import type { Database } from '../../storage/database/port.ts';
import { type KekName, selectExistingKeks } from '../../storage/keys/scrub.ts';
import { type ScrubVersion, selectSealed, selectVersionPage } from '../../storage/trail/scrub.ts';
import { hashOfLeaf, versionLeaf } from '../../trail/leaf.ts';
import { type Counts, type Finding, finding, type Place, type Progress, progress } from './events.ts';
import { isKekName, kekName, kekNames } from './keks.ts';

export interface VersionCheck {
  readonly database: Database;
  readonly opener: RecordOpener;
  readonly institutionName: (id: number) => string;
  readonly counts: Counts;
  /** Told of every key that a record is sealed under. */
  readonly onKeyUsed: (name: KekName) => void;
}

const PAGE = 500;
/** Sealed content that is held at once, beside one version that may be larger. */
const CONTENT_BYTES = 8 * 1024 * 1024;

/** Every version: one leaf, the same hash, sealed bytes of the stored digest, and content that the leaf commits to. */
export async function* checkVersions(check: VersionCheck): AsyncGenerator<Finding | Progress> {
  const { database, counts } = check;
  let after = 0n;
  for (;;) {
    const page = await selectVersionPage(database, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.versionId;
    const lost = await missingKeys(check, page);
    for (const group of groupsOf(page)) {
      const sealed = await selectSealed(
        database,
        group.map((version) => version.versionId),
      );
      for (const version of group) {
        yield* checkVersion(check, version, sealed.get(version.versionId), lost);
      }
    }
    counts.versions += page.length;
    yield progress('versions', counts.versions);
  }
}

function* groupsOf(page: readonly ScrubVersion[]): Generator<readonly ScrubVersion[]> {
  let group: ScrubVersion[] = [];
  let bytes = 0;
  for (const version of page) {
    if (group.length > 0 && bytes + (version.sealedBytes ?? 0) > CONTENT_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(version);
    bytes += version.sealedBytes ?? 0;
  }
  if (group.length > 0) yield group;
}

/** Names of the keys of these versions that do not exist. */
async function missingKeys(check: VersionCheck, page: readonly ScrubVersion[]): Promise<ReadonlySet<string>> {
  const used = new Map<string, KekName>();
  for (const { envelope } of page) {
    for (const name of kekNames(kidOf(envelope))) used.set(kekName(name), name);
  }
  for (const name of used.values()) check.onKeyUsed(name);
  const existing = await selectExistingKeks(check.database, [...used.values()].filter(isKekName));
  const found = new Set(existing.map(kekName));
  return new Set([...used.keys()].filter((name) => !found.has(name)));
}

/** '' for an envelope whose header cannot be read, which does not open either. */
function kidOf(envelope: string): string {
  try {
    return envelopeKid(envelope);
  } catch (error) {
    if (error instanceof MedSealError) return '';
    throw error;
  }
}

async function* checkVersion(
  check: VersionCheck,
  version: ScrubVersion,
  sealed: string | undefined,
  lost: ReadonlySet<string>,
): AsyncGenerator<Finding> {
  const place = placeOf(check, version);
  yield* checkLeaf(check.counts, version, place);
  const missing = kekNames(kidOf(version.envelope))
    .map(kekName)
    .find((name) => lost.has(name));
  if (missing !== undefined) {
    yield finding('key-missing', { ...place, token: missing });
    return;
  }
  if (sealed !== undefined && !isOfDigest(sealed, version.digest)) {
    yield finding('sealed-digest-differs', place);
    return;
  }
  const recomputed = await recomputedLeaf(check, version, sealed);
  if (recomputed === undefined) yield finding('version-damaged', place);
  // A row and a leaf that differ are told already, and so is a version before this one that is missing.
  else if (isComparable(version) && !matchesAny(recomputed, version)) yield finding('version-content-differs', place);
}

function placeOf({ institutionName }: VersionCheck, { institution, type, versionId, version }: ScrubVersion): Place {
  return { institution: institutionName(institution), type, row: `${versionId} (version ${version})` };
}

function* checkLeaf(counts: Counts, { numbered, pending, leafHash }: ScrubVersion, place: Place): Generator<Finding> {
  counts.numberedLeaves += numbered.length;
  counts.pendingLeaves += pending.length;
  const leaves = [...numbered, ...pending];
  if (leaves.length === 0) yield finding('version-without-leaf', place);
  if (leaves.length > 1) yield finding('version-with-several-leaves', { ...place, count: leaves.length });
  const own = leafHash.toString('hex');
  if (leaves.some((leaf) => leaf !== own)) yield finding('version-leaf-differs', place);
}

function isOfDigest(sealed: string, digest: Buffer | null): boolean {
  const root = digest === null ? undefined : contentBlocks(sealed, digest).at(-1);
  return root !== undefined && digest !== null && hash('sha256', root.bytes, 'buffer').equals(digest);
}

/** undefined when the version does not open. */
async function recomputedLeaf(
  { opener }: VersionCheck,
  version: ScrubVersion,
  sealed: string | undefined,
): Promise<string | undefined> {
  try {
    const row = { ...version, sealed: sealed ?? null, consents: [], merges: [] };
    const { institution, id, author, content } = await opener.open(row);
    const { cid, salt } = await opener.leafSecrets(row);
    const facts = { ...version, institution, id, author, content, cid, previous: version.previous ?? undefined };
    return hashOfLeaf(versionLeaf(facts, salt)).toString('hex');
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'sealed-content-damaged') return undefined;
    throw error;
  }
}

/** The leaf commits to the one of the version before. */
function isComparable({ version, previous }: ScrubVersion): boolean {
  return version === 1 || previous !== null;
}

function matchesAny(recomputed: string, { leafHash, numbered, pending }: ScrubVersion): boolean {
  return [leafHash.toString('hex'), ...numbered, ...pending].includes(recomputed);
}
