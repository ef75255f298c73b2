import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { MedSealError } from '../errors.ts';
import { cidOfDigest, indexBlock } from '../storage/content/cid.ts';
import type { SortKeys } from './blind-index/sort-keys.ts';
import {
  openCompact,
  openFlattened,
  parseFlattened,
  protectedHeader,
  readHeader,
  sealCompact,
  sealFlattened,
} from './jwe.ts';
import type { WrappingKey } from './key-service.ts';

/** What a version's JWE is bound to: swapped rows or blocks do not open. */
export interface VersionContext {
  readonly institution: string;
  readonly type: string;
  readonly idToken: string;
  readonly version: number;
  /** Pseudonyms of everyone the version belongs to (or the institution's subject), in order. */
  readonly subjects: readonly string[];
}

/**
 * What the envelope says beside the content key; only the holder of the KEK reads it. Together with the content it is all
 * that a version's row is made from again (interactions/rebuild).
 */
export interface EnvelopeFacts {
  readonly id: string;
  readonly author: string;
  /** RFC 3339, milliseconds. */
  readonly at: string;
  readonly interaction: 'create' | 'update' | 'delete';
  /** Whether it also belongs to a patient who cannot be determined. */
  readonly undetermined: boolean;
  readonly sort: SortKeys;
}

export interface SealedVersion {
  /** One JWE, or several separated by newlines when the content is larger than a segment; undefined for a deletion. */
  readonly sealed: string | undefined;
  /** sha2-256 of the content's root block. */
  readonly digest: Buffer | undefined;
  readonly cid: string | undefined;
  readonly envelope: string;
  /** Salts the leaf's commitments; derived from the content key, so that it dies with it. */
  readonly salt: KeyObject;
}

export interface OpenedVersion {
  /** The resource's exact bytes; undefined for a deletion. */
  readonly content: Buffer | undefined;
  readonly facts: EnvelopeFacts;
}

/** What a version's leaf is made of beside its content and its facts. */
export interface LeafSecrets {
  /** Of the content's root block; undefined for a deletion. */
  readonly cid: string | undefined;
  readonly salt: KeyObject;
}

/** Content above this is cut into segments, so that no IPFS block exceeds what bitswap carries. */
const SEGMENT_BYTES = 512 * 1024;
const SEGMENT_SEPARATOR = '\n';

/** Seals one version under a fresh content key, and that key under the subjects' KEKs (DESIGN §5). */
export function sealVersion(
  context: VersionContext,
  facts: EnvelopeFacts,
  content: Uint8Array | undefined,
  wrapping: WrappingKey,
  random: (length: number) => Buffer,
): SealedVersion {
  const cek = random(32);
  const key = createSecretKey(cek);
  const envelope = sealEnvelope(context, facts, cek, wrapping, random);
  const salt = saltOf(cek);
  const header = protectedHeader({ kc: keyCommitment(cek) });
  cek.fill(0);
  if (content === undefined) return { sealed: undefined, digest: undefined, cid: undefined, envelope, salt };
  const count = Math.max(1, Math.ceil(content.byteLength / SEGMENT_BYTES));
  const segments = Array.from({ length: count }, (_, index) =>
    sealFlattened(key, random(12), header, segmentAad(context, index, count), segmentOf(content, index)),
  );
  const { digest, cid } = rootOf(segments);
  return { sealed: joinSegments(segments), digest, cid, envelope, salt };
}

/** The key that opens this version's envelope, by name. @throws `sealed-content-damaged` */
export function envelopeKid(envelope: string): string {
  const kid = readHeader(envelope.slice(0, Math.max(0, envelope.indexOf('.')))).kid;
  if (typeof kid !== 'string') throw mismatch();
  return kid;
}

/** Opens what {@link sealVersion} sealed, in the same context only. @throws `sealed-content-damaged` */
export function openVersion(
  context: VersionContext,
  sealed: string | undefined,
  envelope: string,
  key: KeyObject,
): OpenedVersion {
  const { cek, facts } = openEnvelope(context, envelope, key);
  return { content: sealed === undefined ? undefined : openContent(context, sealed, cek), facts };
}

/** For evidence of a version, which most reads are not about. @throws `sealed-content-damaged` */
export function leafSecrets(
  context: VersionContext,
  sealed: string | undefined,
  envelope: string,
  key: KeyObject,
): LeafSecrets {
  const { cek } = openEnvelope(context, envelope, key);
  const cid = sealed === undefined ? undefined : rootOf(sealed.split(SEGMENT_SEPARATOR)).cid;
  return { cid, salt: saltOf(cek) };
}

/** Opens the envelope alone: the facts of a version and its content key. @throws `sealed-content-damaged` */
export function openEnvelope(
  context: EnvelopeContext,
  envelope: string,
  key: KeyObject,
): { readonly cek: Buffer; readonly facts: EnvelopeFacts } {
  const { cek, facts, context: sealed } = readEnvelope(envelope, key);
  const bound =
    sealed.institution === context.institution &&
    sealed.idToken === context.idToken &&
    sealed.type === context.type &&
    sealed.version === context.version;
  if (!bound) throw mismatch();
  return { cek, facts };
}

/** Opens the envelope of a version of which nothing else is known. @throws `sealed-content-damaged` */
export function readEnvelope(
  envelope: string,
  key: KeyObject,
): { readonly cek: Buffer; readonly facts: EnvelopeFacts; readonly context: EnvelopeContext } {
  const plaintext = JSON.parse(openCompact(key, envelope).toString('utf8')) as EnvelopeContent;
  const { at, author, cek, id, institution, interaction, sort, token, type, undetermined = false, version } = plaintext;
  return {
    cek: Buffer.from(cek, 'base64url'),
    facts: { at, author, id, interaction, sort, undetermined },
    context: { institution, type, idToken: token, version },
  };
}

type EnvelopeContext = Omit<VersionContext, 'subjects'>;

/** The blocks of a sealed version as they go to the content store, root last. @param digest of the root block */
export function contentBlocks(
  sealed: string,
  digest: Uint8Array,
): readonly { readonly cid: string; readonly bytes: Uint8Array }[] {
  const segments = sealed.split(SEGMENT_SEPARATOR);
  const [only, ...others] = segments;
  if (only !== undefined && others.length === 0) {
    return [{ cid: cidOfDigest('raw', digest), bytes: Buffer.from(only, 'latin1') }];
  }
  const blocks = segments.map((text) => ({ cid: blockCid(text), bytes: Buffer.from(text, 'latin1') }));
  const root = indexBlock(blocks.map((block) => block.cid));
  return [...blocks, { cid: cidOfDigest('dag-cbor', digest), bytes: root }];
}

/** Segments as one text, the form in which a row holds them. */
export function joinSegments(segments: readonly string[]): string {
  return segments.join(SEGMENT_SEPARATOR);
}

interface EnvelopeContent extends Omit<EnvelopeFacts, 'undetermined'> {
  readonly cek: string;
  readonly undetermined?: boolean;
  readonly institution: string;
  /** The id token, which is what binds the envelope to its row. */
  readonly token: string;
  readonly type: string;
  readonly version: number;
}

function sealEnvelope(
  context: VersionContext,
  facts: EnvelopeFacts,
  cek: Buffer,
  wrapping: WrappingKey,
  random: (length: number) => Buffer,
): string {
  const content: EnvelopeContent = {
    at: facts.at,
    author: facts.author,
    cek: cek.toString('base64url'),
    id: facts.id,
    institution: context.institution,
    interaction: facts.interaction,
    sort: facts.sort,
    token: context.idToken,
    type: context.type,
    ...(facts.undetermined ? { undetermined: true } : {}),
    version: context.version,
  };
  return sealCompact(wrapping.key, random(12), wrapping.header, Buffer.from(JSON.stringify(content)));
}

function openContent(context: VersionContext, sealed: string, cek: Buffer): Buffer {
  const segments = sealed.split(SEGMENT_SEPARATOR);
  const key = createSecretKey(cek);
  const commitment = keyCommitment(cek);
  const opened = segments.map((text, index) => {
    const jwe = parseFlattened(text);
    // AES-GCM does not commit to its key; without this a block could be made to open under two.
    if (readHeader(jwe.protected).kc !== commitment) throw mismatch();
    return openFlattened(key, jwe, segmentAad(context, index, segments.length));
  });
  const [only, ...others] = opened;
  return only !== undefined && others.length === 0 ? only : Buffer.concat(opened);
}

/**
 * Canonical JSON (RFC 8785), written out because every read and write needs it; all members are of closed alphabets. A
 * version in one piece has no `segment`.
 */
function segmentAad(context: VersionContext, index: number, count: number): string {
  const { idToken, institution, subjects, type, version } = context;
  const segment = count === 1 ? '' : `"segment":{"index":${index},"last":${index === count - 1}},`;
  return Buffer.from(
    `{"format":"medseal/version/1","id":"${idToken}","institution":"${institution}",${segment}"subjects":["${subjects.join('","')}"],"type":"${type}","version":${version}}`,
  ).toString('base64url');
}

function segmentOf(content: Uint8Array, index: number): Uint8Array {
  return content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES);
}

/** One block, or an index block that links to the segments. */
function rootOf(segments: readonly string[]): { readonly digest: Buffer; readonly cid: string } {
  const [only, ...others] = segments;
  if (only !== undefined && others.length === 0) {
    const digest = hash('sha256', only, 'buffer');
    return { digest, cid: cidOfDigest('raw', digest) };
  }
  const digest = hash('sha256', indexBlock(segments.map(blockCid)), 'buffer');
  return { digest, cid: cidOfDigest('dag-cbor', digest) };
}

function blockCid(text: string): string {
  return cidOfDigest('raw', hash('sha256', text, 'buffer'));
}

/** Of a uniformly random key, so one hash with a label of its own is enough. */
function keyCommitment(cek: Buffer): string {
  return hash('sha256', Buffer.concat([KEY_COMMITMENT, cek]), 'base64url');
}

function saltOf(cek: Buffer): KeyObject {
  return createSecretKey(hash('sha256', Buffer.concat([SALT, cek]), 'buffer'));
}

const KEY_COMMITMENT = Buffer.from('medseal/key-commitment/1');
const SALT = Buffer.from('medseal/salt/1');

function mismatch(): MedSealError {
  return new MedSealError('sealed-content-damaged', 'A sealed version does not belong where it was found');
}
