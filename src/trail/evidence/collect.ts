import type { KeyObject } from 'node:crypto';
import { invariant, MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import type { Database } from '../../storage/database/port.ts';
import { type LogKey, readTiles } from '../../storage/log/tiles.ts';
import { type LeafPlace, selectLeaf, selectLeafHash, selectLeaves } from '../../storage/trail/evidence.ts';
import { hashOfLeaf, type VersionFacts, versionLeaf } from '../leaf.ts';
import type { Ledger } from '../ledger/port.ts';
import { inclusionProof } from '../merkle/proofs.ts';
import { ALGORITHMS, EVIDENCE_FORMAT, type Evidence } from './evidence.ts';

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

export function createEvidenceCollector(database: Database, ledger: Ledger): EvidenceCollector {
  return {
    collect: (subject) => collectEvidence(database, ledger, subject),
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

async function collectEvidence(database: Database, ledger: Ledger, subject: EvidenceSubject): Promise<Buffer> {
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
  const key: LogKey = { institution: place.institution, log: place.log };
  const reader = {
    query: <Row>(text: string, values?: readonly unknown[]) => database.query<Row>('writer', text, values),
  };
  const number = Number(place.number);
  const proof = await inclusionProof(number, Number(place.size), (tiles) => readTiles(reader, key, tiles));
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
    leaf: number,
    inclusion: proof.map((hash) => Buffer.from(hash).toString('hex')),
    ledger: await committed.prove(),
  };
  return Buffer.from(canonicalJson(evidence));
}
