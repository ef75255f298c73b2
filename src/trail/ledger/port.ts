import type { RefusalCode } from 'medseal-chaincode/rules';
import { MedSealError } from '../../errors.ts';

/**
 * The ledger port: what anchors, consents and releases are recorded through. Two adapters, `embedded/` and `fabric/`,
 * pass the one suite in conformance/ports/ledger-contract.ts.
 *
 * Every method throws MedSealError:
 * - `ledger-rejected`: the contract, or the ledger's rules, said no; the same call will be refused again.
 *   `refusalOf(error)` tells the contract's code.
 * - `ledger-unavailable`: nobody could be asked, or the answer got lost; the same bytes may be submitted again.
 */
export interface Ledger {
  /** This node's own organisation on the ledger, and the others, by MSP id: who may endorse what it registers. */
  readonly membership: { readonly mspId: string; readonly others: readonly string[] };

  /** Has a transaction endorsed. It has no effect until its bytes, which the caller makes durable first, are submitted. */
  prepare(call: ContractCall): Promise<PreparedTransaction>;

  /**
   * Sends prepared bytes and waits for the final status. Bytes that were submitted before are looked up: they never
   * have a second effect. A status other than `VALID` had none either.
   */
  submit(bytes: Uint8Array): Promise<CommittedTransaction>;

  /** What became of a transaction; undefined when it is not on the ledger (yet). */
  find(transactionId: string): Promise<RecordedTransaction | undefined>;

  /** Runs a reading transaction; the answer is the contract's. Its arguments may be seen by other organisations. */
  evaluate(call: ContractCall): Promise<Uint8Array>;

  /**
   * Every block from `from` on, in order, then each new one as it comes, until `signal` aborts (which ends the
   * iteration, not fails it). A reader that keeps the number after the last block it has dealt with misses nothing.
   */
  blocks(from: bigint, signal: AbortSignal): AsyncIterable<LedgerBlock>;
}

export interface ContractCall {
  readonly contract: 'anchor' | 'consent' | 'release';
  readonly transaction: string;
  readonly args: readonly string[];
}

export interface PreparedTransaction {
  readonly transactionId: string;
  readonly bytes: Uint8Array;
}

/** Fabric's names of its validation codes (TxValidationCode); these are the ones that callers tell apart. */
export type TransactionStatus = 'VALID' | 'MVCC_READ_CONFLICT' | 'ENDORSEMENT_POLICY_FAILURE' | (string & {});

export interface CommittedTransaction {
  readonly transactionId: string;
  readonly status: TransactionStatus;
  readonly block: bigint;
}

export interface RecordedTransaction extends CommittedTransaction {
  /**
   * What an offline verifier needs beside its trust roots; plain JSON. Other organisations may have to be asked for it.
   *
   * @throws MedSealError `ledger-unavailable`
   */
  prove(): Promise<LedgerProof>;
}

/** Of a shape that its ledger's verifier knows (`verify-embedded.ts`, `verify-fabric.ts`). */
export interface LedgerProof {
  readonly ledger: 'embedded' | 'fabric';
}

export interface LedgerBlock {
  readonly number: bigint;
  readonly transactions: readonly LedgerTransaction[];
}

export interface LedgerTransaction {
  readonly transactionId: string;
  readonly status: TransactionStatus;
  /** Of a valid transaction that announced one: its name and its payload, canonical JSON. */
  readonly event?: { readonly name: string; readonly payload: string };
}

/** Another transaction changed what this one had read. It had no effect, and preparing the call anew may succeed. */
export function isRetriable(status: TransactionStatus): boolean {
  return status === 'MVCC_READ_CONFLICT' || status === 'PHANTOM_READ_CONFLICT';
}

/** The cause inside a `ledger-rejected` that a contract's rule brought about. */
export class LedgerRefusal extends Error {
  override readonly name = 'LedgerRefusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, text: string) {
    super(text);
    this.code = code;
  }
}

/** The contract's code in a `ledger-rejected`; undefined when no rule of a contract is behind it. */
export function refusalOf(error: unknown): RefusalCode | undefined {
  return error instanceof MedSealError && error.cause instanceof LedgerRefusal ? error.cause.code : undefined;
}
