import { createSecretKey } from 'node:crypto';
import { verifyInclusion } from 'medseal-chaincode/rules';
import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import { hashOfLeaf, versionLeaf } from '../leaf.ts';
import { constant, count, type Guard, hexadecimal, listOf, nullable, record, text } from '../ledger/embedded/shape.ts';
import { type AnchorFacts, verifyAnchor } from '../ledger/verify-anchor.ts';
import { ALGORITHMS, EVIDENCE_FORMAT, type Evidence } from './evidence.ts';
import type { TrustRoots } from './roots.ts';

/** What verified evidence establishes. */
export interface VerifiedEvidence {
  readonly record: string;
  readonly version: number;
  readonly interaction: Evidence['interaction'];
  readonly time: string;
  readonly author: string;
  readonly resource: string | null;
  readonly anchor: AnchorFacts;
}

const canonicalBase64url: Guard = (value) =>
  typeof value === 'string' && Buffer.from(value, 'base64url').toString('base64url') === value;
const interaction: Guard = (value) => value === 'create' || value === 'update' || value === 'delete';

const evidenceShape = record({
  format: constant(EVIDENCE_FORMAT),
  algorithms: record(Object.fromEntries(Object.entries(ALGORITHMS).map(([name, value]) => [name, constant(value)]))),
  record: text,
  version: count,
  interaction,
  time: text,
  author: text,
  resource: nullable(text),
  cid: nullable(text),
  previous: nullable(canonicalBase64url),
  salt: canonicalBase64url,
  leaf: count,
  inclusion: listOf(hexadecimal(32)),
  ledger: () => true,
});

/**
 * Verifies an evidence file offline. Trust comes from `roots`, pinned by the verifier, and never from the file.
 *
 * @throws MedSealError `evidence-invalid`, saying which check failed
 */
export function verifyEvidence(file: Uint8Array, roots: TrustRoots): VerifiedEvidence {
  const evidence = readEvidence(file);
  const { record: name, version, time, author, resource, cid, previous } = evidence;
  const anchor = verifyAnchor(evidence.ledger, roots.ledger);
  const [institution = '', type = '', id = '', ...rest] = name.split('/');
  demand(rest.length === 0 && id !== '', 'it does not name a record');
  demand(anchor.institution === institution, 'the anchor is of another institution');
  demand(anchor.log === 'records', 'the anchor is not of a log of records');
  const facts = {
    interaction: evidence.interaction,
    institution,
    type,
    id,
    version,
    content: resource === null ? undefined : Buffer.from(resource, 'utf8'),
    cid: cid ?? undefined,
    previous: previous === null ? undefined : Buffer.from(previous, 'base64url'),
    at: time,
    author,
  };
  const salt = createSecretKey(Buffer.from(evidence.salt, 'base64url'));
  const included = verifyInclusion({
    index: evidence.leaf,
    size: anchor.size,
    leaf: hashOfLeaf(versionLeaf(facts, salt)),
    root: Buffer.from(anchor.root, 'hex'),
    proof: evidence.inclusion.map((hash) => Buffer.from(hash, 'hex')),
  });
  demand(included, 'the record, or what is said of it, is not what was logged and anchored');
  return { record: name, version, interaction: evidence.interaction, time, author, resource, anchor };
}

function readEvidence(file: Uint8Array): Evidence {
  let parsed: unknown;
  const written = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('utf8');
  try {
    parsed = JSON.parse(written);
    // Its own bytes, so that no byte of it, not even of invalid UTF-8, escapes the checks.
    demand(Buffer.from(canonicalJson(parsed)).equals(file), 'the file is not canonical JSON (RFC 8785)');
  } catch (cause) {
    if (cause instanceof MedSealError && cause.code === 'evidence-invalid') throw cause;
    throw new MedSealError('evidence-invalid', 'The evidence does not hold: the file is not JSON', { cause });
  }
  demand(evidenceShape(parsed), 'the file does not have the fields of an evidence file');
  return parsed as Evidence;
}

function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new MedSealError('evidence-invalid', `The evidence does not hold: ${reason}`);
}
