import { createSecretKey } from 'node:crypto';
import { type Anchor, verifyInclusion } from 'medseal-chaincode/rules';
import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import { hashOfLeaf, versionLeaf } from '../leaf.ts';
import { constant, count, type Guard, hexadecimal, listOf, nullable, record, text } from '../ledger/embedded/shape.ts';
import { type AnchorFacts, verifyAnchor } from '../ledger/verify-anchor.ts';
import type { EmbeddedAnchorFacts } from '../ledger/verify-embedded.ts';
import { verifyPastAnchor } from '../ledger/verify-past.ts';
import { ALGORITHMS, EVIDENCE_FORMAT, type Evidence, type EvidenceBefore } from './evidence.ts';
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
  /** The anchor on the ledger before, by its operator's own word; of a log that was carried over from one. */
  readonly before?: EmbeddedAnchorFacts;
}

const canonicalBase64url: Guard = (value) =>
  typeof value === 'string' && Buffer.from(value, 'base64url').toString('base64url') === value;
const interaction: Guard = (value) => value === 'create' || value === 'update' || value === 'delete';

const FIELDS = {
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
};
const evidenceShape = record(FIELDS);
const carriedEvidenceShape = record({ ...FIELDS, before: () => true });
const beforeShape = record({ inclusion: listOf(hexadecimal(32)), past: () => true });

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
  const leaf = hashOfLeaf(versionLeaf(facts, salt));
  const included = isIncluded(evidence.leaf, leaf, evidence.inclusion, anchor);
  demand(included, 'the record, or what is said of it, is not what was logged and anchored');
  const verified = { record: name, version, interaction: evidence.interaction, time, author, resource, anchor };
  return evidence.before === undefined ? verified : { ...verified, before: anchoredBefore(evidence, leaf, anchor) };
}

function isIncluded(index: number, leaf: Uint8Array, proof: readonly string[], anchor: Anchor): boolean {
  return verifyInclusion({
    index,
    size: anchor.size,
    leaf,
    root: Buffer.from(anchor.root, 'hex'),
    proof: proof.map((hash) => Buffer.from(hash, 'hex')),
  });
}

/** The ledger before is the one that the verified anchor names, and not whichever the file does. */
function anchoredBefore({ leaf: index, before }: Evidence, leaf: Uint8Array, anchor: AnchorFacts): EmbeddedAnchorFacts {
  demand(beforeShape(before), 'the file does not have the fields of an evidence file');
  demand(anchor.predecessor !== undefined, 'the log was not carried over from another ledger');
  const { inclusion, past } = before as EvidenceBefore;
  const facts = verifyPastAnchor(past, anchor.predecessor);
  const same = facts.institution === anchor.institution && facts.log === anchor.log && facts.size <= anchor.size;
  demand(same, 'the ledger before anchored another log');
  demand(isIncluded(index, leaf, inclusion, facts), 'the ledger before did not anchor the record');
  return facts;
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
  demand(
    evidenceShape(parsed) || carriedEvidenceShape(parsed),
    'the file does not have the fields of an evidence file',
  );
  return parsed as Evidence;
}

function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new MedSealError('evidence-invalid', `The evidence does not hold: ${reason}`);
}
