import type { KeyObject } from 'node:crypto';
import { invariant, MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import type { Database } from '../../storage/database/port.ts';
import { type LogKey, readTiles } from '../../storage/log/tiles.ts';
import { selectCarriedOf } from '../../storage/trail/carried.ts';
import { type LeafPlace, selectLeaf, selectLeafHash, selectLeaves } from '../../storage/trail/evidence.ts';
import { firstAnchor } from '../anchors.ts';
import { hashOfLeaf, type VersionFacts, versionLeaf } from '../leaf.ts';
import type { PastLedger } from '../ledger/embedded/past.ts';
import type { Ledger } from '../ledger/port.ts';
import { inclusionProof } from '../merkle/proofs.ts';
import { ALGORITHMS, EVIDENCE_FORMAT, type Evidence, type EvidenceBefore } from './evidence.ts';

/** An opened version, as the caller was permitted to see it. */
export interface EvidenceSubject extends Omit<VersionFacts, 'previous'> {
  readonly versionId: bigint;
  readonly idToken: string;
  /** Of its root block; undefined for a deletion. */
  readonly cid: string | undefined;
  readonly leafHash: Buffer;
  readonly salt: KeyObject;
}

/** How far a version has come on its way to the ledger. */
export type AnchorState =
  | { readonly state: 'pending' }
  | { readonly state: 'anchored'; readonly transactionId: string; readonly block: bigint; readonly at: string };

export interface EvidenceCollector {
  /**
   * The evidence of one version, as the bytes of its file.
   *
   * @throws MedSealError `not-yet-anchored` until its batch is; `sealed-content-damaged` when what was opened is not what
   *   was logged
   */
  collect(subject: EvidenceSubject): Promise<Buffer>;
  anchorStates(versionIds: readonly bigint[]): Promise<ReadonlyMap<bigint, AnchorState>>;
}

export interface EvidenceSources {
  readonly database: Database;
  readonly ledger: Ledger;
  /** The ledger that this node wrote to before, where that was its own. */
  readonly past?: PastLedger | undefined;
}

export function createEvidenceCollector(sources: EvidenceSources): EvidenceCollector {
  const { database } = sources;
  return {
    collect: (subject) => collectEvidence(sources, subject),
    async anchorStates(versionIds) {
      const places = await selectLeaves(database, versionIds);
      return new Map(versionIds.map((id) => [id, anchorState(places.get(id))]));
    },
  };
}

function anchorState(place: LeafPlace | undefined): AnchorState {
  if (place === undefined || place.anchoredAt === null) return { state: 'pending' };
  const { transactionId, block, anchoredAt: at } = place;
  invariant(transactionId !== null && block !== null, 'an anchored batch has a transaction and a block');
  return { state: 'anchored', transactionId, block, at };
}

async function collectEvidence(sources: EvidenceSources, subject: EvidenceSubject): Promise<Buffer> {
  const { database, ledger } = sources;
  const previous = await selectLeafHash(database, subject.idToken, subject.version - 1);
  const leaf = versionLeaf({ ...subject, previous }, subject.salt);
  if (!hashOfLeaf(leaf).equals(subject.leafHash)) {
    throw new MedSealError('sealed-content-damaged', 'The version is not the one that was logged');
  }
  const place = await selectLeaf(database, subject.versionId);
  if (place?.transactionId === undefined || place.transactionId === null || place.anchoredAt === null) {
    throw new MedSealError('not-yet-anchored', 'The version is logged, and not anchored on the ledger yet');
  }
  const committed = await ledger.find(place.transactionId);
  invariant(committed !== undefined, 'the ledger does not know the transaction of an anchored batch');
  const before = await proofBefore(sources, subject.institution, place);
  const evidence: Evidence = {
    format: EVIDENCE_FORMAT,
    algorithms: ALGORITHMS,
    record: `${subject.institution}/${subject.type}/${subject.id}`,
    version: subject.version,
    interaction: subject.interaction,
    time: subject.at,
    author: subject.author,
    resource: subject.content === undefined ? null : Buffer.from(subject.content).toString('utf8'),
    cid: leaf.cid,
    previous: leaf.previous,
    salt: subject.salt.export().toString('base64url'),
    leaf: Number(place.number),
    inclusion: await inclusionIn(database, place, place.size),
    ledger: await committed.prove(),
    ...(before === undefined ? {} : { before }),
  };
  return Buffer.from(canonicalJson(evidence));
}

async function inclusionIn(database: Database, { institution, log, number }: LeafPlace, size: bigint) {
  const key: LogKey = { institution, log };
  const reader = {
    query: <Row>(text: string, values?: readonly unknown[]) => database.query<Row>('writer', text, values),
  };
  const proof = await inclusionProof(Number(number), Number(size), (tiles) => readTiles(reader, key, tiles));
  return proof.map((hash) => Buffer.from(hash).toString('hex'));
}

/** Of a leaf that was carried over with its log, where the anchor that did it names the ledger before. */
async function proofBefore(
  { database, ledger, past }: EvidenceSources,
  institution: string,
  place: LeafPlace,
): Promise<EvidenceBefore | undefined> {
  const batch = past && (await selectCarriedOf(database, place, place.number));
  if (batch === undefined || batch.transactionId === null) return undefined;
  const first = await firstAnchor(ledger, institution, 'records');
  if (first?.predecessor === undefined) return undefined;
  const proof = await past?.prove(batch.transactionId, first.predecessor.blocks);
  return proof && { past: proof, inclusion: await inclusionIn(database, place, batch.size) };
}
