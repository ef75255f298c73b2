import type { SortKeys } from '../sealing/blind-index/sort-keys.ts';
import type { WrappingKey } from '../sealing/key-service.ts';
import { sealVersion } from '../sealing/version.ts';
import { hashOfLeaf, versionLeaf } from '../trail/leaf.ts';

/** Everything that a version's seal and its leaf are made of. */
export interface SealingFacts {
  readonly institution: string;
  readonly type: string;
  readonly id: string;
  readonly idToken: string;
  readonly version: number;
  readonly interaction: 'create' | 'update' | 'delete';
  /** RFC 3339 in UTC, milliseconds. */
  readonly at: string;
  readonly author: string;
  /** Whose KEKs it is sealed under, in order. */
  readonly subjects: readonly string[];
  readonly undetermined: boolean;
  readonly sortKeys: SortKeys;
  /** The resource's exact text; undefined for a deletion. */
  readonly content: string | undefined;
  /** Leaf hash of the version before. */
  readonly previous: Uint8Array | undefined;
}

export interface SealedParts {
  readonly sealed: string | undefined;
  readonly digest: Buffer | undefined;
  readonly cid: string | undefined;
  readonly envelope: string;
  readonly leafHash: Buffer;
}

export interface SealingJob {
  readonly facts: SealingFacts;
  readonly wrapping: WrappingKey;
}

/** Seals drafts, in the order given. */
export type SealDrafts = (jobs: readonly SealingJob[]) => Promise<readonly SealedParts[]>;

/** On this thread, one after the other. */
export function sealHere(random: (length: number) => Buffer): SealDrafts {
  return async (jobs) => jobs.map(({ facts, wrapping }) => sealDraft(facts, wrapping, random));
}

/** Seals a version and makes its leaf. */
export function sealDraft(facts: SealingFacts, wrapping: WrappingKey, random: (length: number) => Buffer): SealedParts {
  const { institution, type, id, idToken, version, interaction, at, author, previous } = facts;
  const content = facts.content === undefined ? undefined : Buffer.from(facts.content);
  const { salt, ...sealed } = sealVersion(
    { institution, type, idToken, version, subjects: facts.subjects },
    { id, author, at, interaction, undetermined: facts.undetermined, sort: facts.sortKeys },
    content,
    wrapping,
    random,
  );
  const leaf = versionLeaf(
    { interaction, institution, type, id, version, content, at, author, cid: sealed.cid, previous },
    salt,
  );
  return { ...sealed, leafHash: hashOfLeaf(leaf) };
}
