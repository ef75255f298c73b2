/**
 * The content-store port: sealed blocks under their CIDs, kept in batches. Two adapters: CAR files (`car/`) and Kubo;
 * both pass conformance/ports/content-store-contract.ts.
 *
 * Every method throws MedSealError: `storage-full` when there is no space, `storage-unavailable` when the store cannot
 * be reached or read, `sealed-content-damaged` when what it holds is not what the CID says.
 */
export interface Block {
  /** CIDv1, sha2-256, raw or dag-cbor, in lower-case base32; see cid.ts. */
  readonly cid: string;
  readonly bytes: Uint8Array;
}

/** Blocks that are kept, and dropped, together. */
export interface Batch {
  /** CID of one of the blocks, which links to the others, directly or through other blocks. */
  readonly root: string;
  readonly blocks: readonly Block[];
}

/** No block may be larger: other IPFS nodes would not take it. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

export interface ContentStatus {
  readonly reachable: boolean;
  /** Batches kept. */
  readonly roots?: number;
  /** Bytes that they take. */
  readonly bytes?: number;
  /** Free space where they lie. */
  readonly freeBytes?: number;
  /** Each of several nodes by itself, in the order of their configuration. */
  readonly nodes?: readonly ContentStatus[];
}

export interface ContentStore {
  /**
   * Durable and pinned when it resolves, and read back: every block was compared with its CID. When it rejects, or the
   * process ends, the batch is there in full or not at all; what differed is not kept (`sealed-content-damaged`).
   * Putting the same batch again is harmless, and mends it if it was damaged.
   */
  put(batch: Batch): Promise<void>;
  /**
   * The verified bytes; undefined when no batch that is kept has this block. Blocks that were dropped, or of a put that
   * was cut short, may still be there until the store collects its garbage. Never asks the network.
   */
  get(cid: string): Promise<Uint8Array | undefined>;
  /** Unpins one batch; blocks under no other root are dropped in time. Harmless when there is no such batch. */
  remove(root: string): Promise<void>;
  /** The roots of all batches kept, in no particular order. */
  roots(): AsyncIterable<string>;
  /** Never throws; for `/ready` and metrics. */
  status(): Promise<ContentStatus>;
}
