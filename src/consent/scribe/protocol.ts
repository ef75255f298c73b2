import type { KeyObject } from 'node:crypto';
import type { ParameterSet } from '../../repository/custom-parameters.ts';
import type { SealedParts, SealingFacts } from '../../repository/seal-draft.ts';
import type { Description } from '../describe.ts';

/** What the server says to the scribe's thread, and back. Texts and plain values: whatever is sent is copied. */
export interface ScribeData {
  /** The node's index secret, which the thread derives the same keys from. */
  readonly secret: Uint8Array;
  readonly publicUrl: string;
}

export type ScribeRequest = { readonly ticket: number } & (
  | {
      readonly kind: 'describe';
      /** Names of all institutions at this moment. */
      readonly institutions: readonly string[];
      /** The custom search parameters of those that have any. */
      readonly parameters: readonly ParameterSet[];
      readonly items: readonly DescribeItem[];
    }
  | { readonly kind: 'seal'; readonly items: readonly SealItem[] }
);

export interface DescribeItem {
  /** The resource without its version, as FHIR JSON. */
  readonly text: string;
  readonly institution: string;
  readonly idToken: string;
  readonly version: number;
}

export type Described = Description & { readonly contentToken: string };

export interface SealItem extends Omit<SealingFacts, 'content' | 'previous'> {
  /** The resource's exact text; undefined for a deletion. */
  readonly text: string | undefined;
  /** Leaf hash of the version before, hexadecimal. */
  readonly previous: string | undefined;
  readonly wrapping: { readonly kid: string; readonly key: KeyObject; readonly header: string };
}

/** {@link SealedParts}, with what is bytes there in hexadecimal. */
export type Sealed = Omit<SealedParts, 'digest' | 'leafHash'> & {
  readonly digest: string | undefined;
  readonly leafHash: string;
};

/** The thread's first word: it has loaded everything. */
export const READY = 'ready';

export type ScribeAnswer = { readonly ticket: number } & (
  | { readonly kind: 'described'; readonly items: readonly Described[] }
  | { readonly kind: 'sealed'; readonly items: readonly Sealed[] }
  /** Done again by the server, where the error belongs. */
  | { readonly kind: 'failed' }
);
