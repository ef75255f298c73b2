import type { LogName } from '../../trail/leaf.ts';

/** What a scrub can find, and how it is told. None of the texts, nor anything beside them, is out of a record. */
const FINDINGS = {
  'version-without-leaf': 'a version has no leaf in the log',
  'version-with-several-leaves': 'a version has more than one leaf',
  'version-leaf-differs': 'a version row and its leaf in the log do not have the same hash',
  'version-content-differs': 'what a version opens to is not what its leaf commits to',
  'version-damaged': 'a version does not open',
  'sealed-digest-differs': 'the sealed bytes in the database are not those of the stored digest',
  'key-missing': 'the key that a record is sealed under does not exist',
  'version-gap': 'versions of a resource are missing',
  'current-missing': 'a resource has versions, and no newest one is noted',
  'current-differs': 'what is noted as the newest version of a resource is not its newest',
  'current-without-version': 'a newest version is noted of a resource that has none',
  'access-entry-differs': 'an access entry is not what its leaf commits to',
  'access-key-missing': 'the key of an hour of the access trail is not there, and entries of that hour are',
  'drop-not-noted': 'access entries were noted as dropped, and no entry of the log says so',
  'access-without-leaf': 'access entries have no leaf in the log',
  'leaf-without-row': 'a leaf belongs to no version and no access entry',
  'leaf-gap': 'leaf numbers are not contiguous',
  'leaf-without-batch': 'a numbered leaf lies behind the last batch of its log',
  'tile-differs': 'a stored part of the tree is not what its leaves give',
  'batch-gap': 'a batch does not begin where the one before it ends',
  'batch-root-differs': 'the root of a batch is not that of its leaves',
  'manifest-missing': 'the manifest of a batch is not in the content store',
  'manifest-damaged': 'the manifest of a batch is damaged in the content store',
  'manifest-differs': 'the manifest of a batch does not list its leaves',
  'block-missing': 'sealed blocks are not in the content store',
  'block-damaged': 'sealed blocks are damaged in the content store',
  'ledger-ahead': 'the ledger anchors more of a log than the database knows',
  'anchor-missing': 'the ledger does not have the anchor of a batch',
  'anchor-differs': 'the ledger anchors something else than the batch',
  'past-ledger-differs': 'the ledger that a log was carried over from is not what it was then',
  'orphan-key': 'no record uses this key',
} as const satisfies Record<string, string>;

export type FindingKind = keyof typeof FINDINGS;

/** Where it is: numbers and opaque names only. */
export interface Place {
  readonly institution?: string;
  readonly log?: LogName;
  /** Size of a log at a batch's end, which names the batch. */
  readonly batch?: number;
  /** Number of a leaf. */
  readonly leaf?: number;
  /** Tile of a log: level and index. */
  readonly tile?: string;
  readonly type?: string;
  /** Row number of a version or access entry. */
  readonly row?: string;
  /** Pseudonym of a resource, or of the subject of a key with its generation. */
  readonly token?: string;
  readonly cid?: string;
  /** How many of them, where one finding stands for several. */
  readonly count?: number;
}

export interface Finding extends Place {
  readonly event: 'finding';
  /** Information is no disagreement. */
  readonly severity: 'error' | 'information';
  readonly kind: FindingKind;
  readonly text: string;
  /** It was taken out of use, or destroyed. */
  readonly swept?: boolean;
  /** It was there, and is right again. */
  readonly mended?: boolean;
}

export type Check = 'versions' | 'resources' | 'access' | 'logs' | 'ledger' | 'keys';

export interface Progress {
  readonly event: 'progress';
  readonly check: Check;
  /** Rows, leaves or anchors so far. */
  readonly done: number;
}

export interface Counts {
  versions: number;
  numberedLeaves: number;
  pendingLeaves: number;
  resources: number;
  accessEntries: number;
  batches: number;
  blocks: number;
  anchors: number;
  keys: number;
}

export interface Summary {
  readonly event: 'summary';
  /** Disagreements; information does not count. */
  readonly findings: number;
  readonly counts: Readonly<Counts>;
  readonly seconds: number;
}

/** Something prevented the scrub from ending; nothing follows. */
interface Failure {
  readonly event: 'failure';
  readonly text: string;
}

export type ScrubEvent = Progress | Finding | Summary | Failure;

export function finding(kind: FindingKind, place: Place): Finding {
  return { event: 'finding', severity: 'error', kind, text: FINDINGS[kind], ...place };
}

export function progress(check: Check, done: number): Progress {
  return { event: 'progress', check, done };
}
