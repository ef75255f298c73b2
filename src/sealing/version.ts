import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { MedSealError } from '../errors.ts';
import { canonicalJson } from '../fhir/json/canonical.ts';
import { cidOfDigest, indexBlock } from '../storage/content/cid.ts';
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

/** What the envelope says beside the content key; only the holder of the KEK reads it. */
export interface EnvelopeFacts {
  readonly id: string;
  readonly author: string;
  /** RFC 3339, milliseconds. */
  readonly at: string;
}

export interface SealedVersion {
  /** One JWE, or several separated by newlines when the content is larger than a segment; undefined for a deletion. */
  readonly sealed: Buffer | undefined;
  /** sha2-256 of the content's root block. */
  readonly digest: Buffer | undefined;
  readonly cid: string | undefined;
  readonly envelope: Buffer;
  /** Salts the leaf's commitments; derived from the content key, so that it dies with it. */
  readonly salt: KeyObject;
}

export interface OpenedVersion {
  /** The resource's exact bytes; undefined for a deletion. */
  readonly content: Buffer | undefined;
  readonly facts: EnvelopeFacts;
  readonly salt: KeyObject;
}

/** Content above this is cut into segments, so that no IPFS block exceeds what bitswap carries. */
const SEGMENT_BYTES = 512 * 1024;
const NEWLINE = Buffer.from('\n');

/** Seals one version under a fresh content key, and that key under the subjects' KEKs (DESIGN §5). */
export function sealVersion(
  context: VersionContext,
  facts: EnvelopeFacts,
  content: Uint8Array | undefined,
  wrapping: WrappingKey,
  random: (length: number) => Buffer,
): SealedVersion {
  const cekBytes = random(32);
  const cek = createSecretKey(cekBytes);
  const envelope = sealEnvelope(context, facts, cekBytes, wrapping, random);
  const salt = saltOf(cek);
  cekBytes.fill(0);
  if (content === undefined) return { sealed: undefined, digest: undefined, cid: undefined, envelope, salt };
  const header = protectedHeader({ kc: keyCommitment(cek) });
  if (content.byteLength <= SEGMENT_BYTES) {
    const sealed = sealFlattened(cek, random(12), header, contentAad(context), content);
    const digest = hash('sha256', sealed, 'buffer');
    return { sealed, digest, cid: cidOfDigest('raw', digest), envelope, salt };
  }
  const count = Math.ceil(content.byteLength / SEGMENT_BYTES);
  const segments = Array.from({ length: count }, (_, index) =>
    sealFlattened(
      cek,
      random(12),
      header,
      segmentAad(context, index, index === count - 1),
      content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES),
    ),
  );
  const root = indexBlock(segments.map((segment) => cidOfDigest('raw', hash('sha256', segment, 'buffer'))));
  const digest = hash('sha256', root, 'buffer');
  return { sealed: joinSegments(segments), digest, cid: cidOfDigest('dag-cbor', digest), envelope, salt };
}

/** The key that opens this version's envelope, by name. @throws `sealed-content-damaged` */
export function envelopeKid(envelope: Uint8Array): string {
  const text = asText(envelope);
  const kid = readHeader(text.slice(0, Math.max(0, text.indexOf('.')))).kid;
  if (typeof kid !== 'string') throw mismatch();
  return kid;
}

/** Opens what {@link sealVersion} sealed, in the same context only. @throws `sealed-content-damaged` */
export function openVersion(
  context: VersionContext,
  sealed: Uint8Array | null | undefined,
  envelope: Uint8Array,
  key: KeyObject,
): OpenedVersion {
  const { cek, facts } = openEnvelope(context, envelope, key);
  const content = sealed === null || sealed === undefined ? undefined : openContent(context, sealed, cek);
  return { content, facts, salt: saltOf(cek) };
}

/** The blocks of a sealed version as they go to the content store, root last. */
export function contentBlocks(sealed: Uint8Array): readonly { cid: string; bytes: Uint8Array }[] {
  const segments = splitSegments(sealed);
  const blocks = segments.map((bytes) => ({ cid: cidOfDigest('raw', hash('sha256', bytes, 'buffer')), bytes }));
  if (blocks.length === 1) return blocks;
  const root = indexBlock(blocks.map((block) => block.cid));
  return [...blocks, { cid: cidOfDigest('dag-cbor', hash('sha256', root, 'buffer')), bytes: root }];
}

function sealEnvelope(
  context: VersionContext,
  facts: EnvelopeFacts,
  cek: Buffer,
  wrapping: WrappingKey,
  random: (length: number) => Buffer,
): Buffer {
  const plaintext = canonicalJson({
    at: facts.at,
    author: facts.author,
    cek: cek.toString('base64url'),
    id: facts.id,
    institution: context.institution,
    token: context.idToken,
    type: context.type,
    version: context.version,
  });
  const header = protectedHeader({ kid: wrapping.kid });
  return Buffer.from(sealCompact(wrapping.key, random(12), header, Buffer.from(plaintext)), 'latin1');
}

/** Opens the envelope alone: the facts of a version and its content key. @throws `sealed-content-damaged` */
export function openEnvelope(
  context: Omit<VersionContext, 'subjects'>,
  envelope: Uint8Array,
  key: KeyObject,
): { readonly cek: KeyObject; readonly facts: EnvelopeFacts } {
  const plaintext = openCompact(key, asText(envelope)).toString('utf8');
  const { at, author, cek, id, institution, token, type, version } = JSON.parse(plaintext) as Record<string, unknown>;
  const bound =
    institution === context.institution &&
    token === context.idToken &&
    type === context.type &&
    version === context.version;
  if (!bound || typeof at !== 'string' || typeof author !== 'string') throw mismatch();
  if (typeof cek !== 'string' || typeof id !== 'string') throw mismatch();
  return { cek: createSecretKey(Buffer.from(cek, 'base64url')), facts: { at, author, id } };
}

function openContent(context: VersionContext, sealed: Uint8Array, cek: KeyObject): Buffer {
  const segments = splitSegments(sealed).map(parseFlattened);
  const commitment = keyCommitment(cek);
  const opened = segments.map((jwe, index) => {
    // AES-GCM does not commit to its key; without this a block could be made to open under two.
    if (readHeader(jwe.protected).kc !== commitment) throw mismatch();
    const last = index === segments.length - 1;
    const aad = segments.length === 1 ? contentAad(context) : segmentAad(context, index, last);
    return openFlattened(cek, jwe, aad);
  });
  const [only, ...others] = opened;
  return only !== undefined && others.length === 0 ? only : Buffer.concat(opened);
}

function contentAad(context: VersionContext): string {
  return Buffer.from(
    canonicalJson({
      format: 'medseal/version/1',
      id: context.idToken,
      institution: context.institution,
      subjects: context.subjects,
      type: context.type,
      version: context.version,
    }),
  ).toString('base64url');
}

function segmentAad(context: VersionContext, index: number, last: boolean): string {
  const whole = Buffer.from(contentAad(context), 'base64url').toString();
  return Buffer.from(canonicalJson({ format: 'medseal/segment/1', index, last, of: whole })).toString('base64url');
}

function keyCommitment(cek: KeyObject): string {
  return createHmac('sha256', cek).update('medseal/key-commitment/1').digest('base64url');
}

function saltOf(cek: KeyObject): KeyObject {
  return createSecretKey(createHmac('sha256', cek).update('medseal/salt/1').digest());
}

/** Segments as one text, the form in which a row holds them. */
export function joinSegments(segments: readonly Uint8Array[]): Buffer {
  return Buffer.concat(segments.flatMap((segment, index) => (index === 0 ? [segment] : [NEWLINE, segment])));
}

function splitSegments(sealed: Uint8Array): readonly Uint8Array[] {
  const segments: Uint8Array[] = [];
  for (let start = 0; start <= sealed.byteLength; ) {
    const end = sealed.indexOf(0x0a, start);
    segments.push(sealed.subarray(start, end < 0 ? undefined : end));
    if (end < 0) break;
    start = end + 1;
  }
  return segments;
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function mismatch(): MedSealError {
  return new MedSealError('sealed-content-damaged', 'A sealed version does not belong where it was found');
}
