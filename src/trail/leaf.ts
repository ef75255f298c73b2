import { createHmac, type KeyObject } from 'node:crypto';
import { leafHash } from 'medseal-chaincode/rules';

/**
 * Leaves of the two logs of an institution (DESIGN §8). A leaf is RFC 8785 canonical JSON in which everything that
 * could be guessed is a salted commitment; its salt comes out of the content key and dies with it.
 */
export type LogName = 'records' | 'access';

/** As the `log` column has it. */
export const LOG_NUMBER: Readonly<Record<LogName, 1 | 2>> = { records: 1, access: 2 };

export interface VersionLeaf {
  readonly kind: 'version';
  readonly interaction: 'create' | 'update' | 'delete';
  /** Commitment to `{institution}/{Type}/{id}`. */
  readonly record: string;
  readonly version: number;
  /** Commitment to the resource's exact bytes; null for a deletion. */
  readonly content: string | null;
  readonly cid: string | null;
  /** Leaf hash of the version before, base64url; null for the first. */
  readonly previous: string | null;
  /** RFC 3339 in UTC, milliseconds. */
  readonly time: string;
  /** Commitment to the author. */
  readonly author: string;
}

/** RFC 9162 §2.1.1 over the canonical bytes. The kind is part of them, so no leaf can pass for one of another kind. */
export function hashOfLeaf(leaf: VersionLeaf | AccessLeaf): Buffer {
  return Buffer.from(leafHash(Buffer.from(leafText(leaf))));
}

/**
 * Canonical JSON (RFC 8785) of a leaf: members in order, all of them numbers, null, or texts of closed alphabets, for
 * which JSON.stringify writes the same.
 */
function leafText(leaf: VersionLeaf | AccessLeaf): string {
  const format = 'medseal/leaf/1';
  if (leaf.kind === 'access') {
    const { entry, kind, time } = leaf;
    return JSON.stringify({ entry, format, kind, time });
  }
  const { author, cid, content, interaction, kind, previous, record, time, version } = leaf;
  return JSON.stringify({ author, cid, content, format, interaction, kind, previous, record, time, version });
}

/** One request's access, permitted or denied. */
export interface AccessLeaf {
  readonly kind: 'access';
  /** sha2-256 of the sealed entry, base64url: a ciphertext cannot be guessed, so it needs no salt. */
  readonly entry: string;
  readonly time: string;
}

/** HMAC-SHA-256 of `value` under the version's salt, set apart by what it is a commitment to. base64url */
function commitment(
  salt: KeyObject,
  to: 'record' | 'content' | 'author' | 'entry',
  value: string | Uint8Array,
): string {
  return createHmac('sha256', salt).update(`medseal/${to}/1\0`).update(value).digest('base64url');
}

export interface VersionFacts {
  readonly interaction: 'create' | 'update' | 'delete';
  readonly institution: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly content: Uint8Array | undefined;
  readonly cid: string | undefined;
  readonly previous: Uint8Array | undefined;
  readonly at: string;
  readonly author: string;
}

/** The leaf of one version, made when it is written and again, from what was opened, when it is shown as evidence. */
export function versionLeaf(facts: VersionFacts, salt: KeyObject): VersionLeaf {
  return {
    kind: 'version',
    interaction: facts.interaction,
    record: commitment(salt, 'record', `${facts.institution}/${facts.type}/${facts.id}`),
    version: facts.version,
    content: facts.content === undefined ? null : commitment(salt, 'content', facts.content),
    cid: facts.cid ?? null,
    previous: facts.previous === undefined ? null : Buffer.from(facts.previous).toString('base64url'),
    time: facts.at,
    author: commitment(salt, 'author', facts.author),
  };
}
