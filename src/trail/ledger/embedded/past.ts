import { hash } from 'node:crypto';
import type { Predecessor } from 'medseal-chaincode/rules';
import { invariant } from '../../../errors.ts';
import type { Database } from '../../../storage/database/port.ts';
import { asWriter, findBlockOf, readBlocks } from '../../../storage/ledger/blocks.ts';
import { readBlockTiles, writeBlockTiles } from '../../../storage/ledger/tiles.ts';
import { appendLeaves, EMPTY_TREE, type TreeState } from '../../merkle/append.ts';
import { inclusionProof, type ReadTiles, rootAt } from '../../merkle/proofs.ts';
import { blockLeaf, checkBlock, type EmbeddedProof, proofOf } from './blocks.ts';
import type { LedgerRoots } from './identities.ts';
import { type PinnedKeys, pinnedKeys } from './verify-envelope.ts';

/** The embedded ledger of a node that writes to another one by now: only read, and needing none of its private keys. */
export interface PastLedger {
  /**
   * What it came to, or was at so many blocks; undefined where it never had them.
   *
   * @throws MedSealError `sealed-content-damaged`
   */
  describe(blocks?: number): Promise<Predecessor | undefined>;
  /** The block of a transaction, if that was valid. */
  blockOf(transactionId: string): Promise<bigint | undefined>;
  /** That a transaction is in one of the ledger's first `blocks` blocks; undefined when it is not. */
  prove(transactionId: string, blocks: number): Promise<PastProof | undefined>;
}

/** A transaction of an earlier ledger, as `verify-past.ts` takes it. */
export interface PastProof {
  /** Its digest is what the anchor that carried the log over names. */
  readonly roots: LedgerRoots;
  readonly proof: EmbeddedProof;
  /** RFC 9162 inclusion of the block's header in the tree over all of them, hexadecimal. */
  readonly block: readonly string[];
}

const BLOCKS_PER_READ = 200;

export function openPastLedger(database: Database): PastLedger {
  const sql = asWriter(database);
  const readTiles: ReadTiles = (tiles) => readBlockTiles(sql, tiles);
  let known: Known | undefined;

  async function roots(): Promise<{ readonly data: Buffer; readonly roots: LedgerRoots } | undefined> {
    const [first] = await readBlocks(sql, 0n, 1);
    return first && { data: first.data, roots: JSON.parse(first.data.toString('utf8')) as LedgerRoots };
  }

  /** Goes on where it was. Every block is checked as a reader of the living ledger checks it. */
  async function walk(keys: PinnedKeys): Promise<Known> {
    let { tree, previousHash } = known ?? { tree: EMPTY_TREE, previousHash: undefined };
    for (;;) {
      const rows = await readBlocks(sql, BigInt(tree.size), BLOCKS_PER_READ);
      if (rows.length === 0) return { tree, previousHash };
      const leaves: Uint8Array[] = [];
      for (const row of rows) {
        previousHash = checkBlock(row, previousHash, keys);
        leaves.push(blockLeaf(previousHash));
      }
      const { state, tiles } = appendLeaves(tree, leaves);
      await writeBlockTiles(sql, tiles);
      tree = state;
      known = { tree, previousHash };
    }
  }

  return {
    async describe(wanted) {
      const first = await roots();
      if (first === undefined) return undefined;
      const { tree } = await walk(pinnedKeys(first.roots));
      const blocks = wanted ?? tree.size;
      if (blocks > tree.size) return undefined;
      const root = Buffer.from(await rootAt(blocks, readTiles)).toString('hex');
      return { configuration: hash('sha256', first.data, 'hex'), blocks, root };
    },

    async blockOf(transactionId) {
      const row = await findBlockOf(sql, Buffer.from(transactionId, 'hex'));
      return row?.status === 'VALID' ? row.number : undefined;
    },

    async prove(transactionId, blocks) {
      const [first, row] = await Promise.all([roots(), findBlockOf(sql, Buffer.from(transactionId, 'hex'))]);
      if (first === undefined || row === undefined || row.number >= BigInt(blocks)) return undefined;
      const { tree } = await walk(pinnedKeys(first.roots));
      invariant(tree.size >= blocks, 'the earlier ledger has fewer blocks than it had');
      const proof = await inclusionProof(Number(row.number), blocks, readTiles);
      const block = proof.map((each) => Buffer.from(each).toString('hex'));
      return { roots: first.roots, proof: proofOf(row), block };
    },
  };
}

interface Known {
  readonly tree: TreeState;
  readonly previousHash: string | undefined;
}
