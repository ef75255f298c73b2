import type { ChaincodeStub, ClientIdentity } from 'fabric-shim-api';
import { type Caller, ROLE_ATTRIBUTE } from '../rules/caller.ts';

/**
 * What our contracts use of the transaction context: the part of fabric-shim's `ChaincodeStub` that whoever runs them
 * has to provide, be it a Fabric peer or the embedded ledger.
 */
export interface ContractStub
  extends Pick<
    ChaincodeStub,
    | 'createCompositeKey'
    | 'getDateTimestamp'
    | 'getState'
    | 'getTxID'
    | 'putState'
    | 'setEvent'
    | 'setStateValidationParameter'
  > {
  /** Newest first. */
  getHistoryForKey(key: string): Promise<StateIterator>;
  getStateByPartialCompositeKeyWithPagination(
    type: string,
    attributes: string[],
    pageSize: number,
    bookmark: string,
  ): Promise<{ readonly iterator: StateIterator; readonly metadata: { readonly bookmark: string } }>;
}

export interface StateIterator {
  next(): Promise<{ readonly value: { readonly value: Uint8Array }; readonly done: boolean }>;
  close(): Promise<void>;
}

export interface ContractContext {
  readonly stub: ContractStub;
  readonly clientIdentity: Pick<ClientIdentity, 'getMSPID' | 'getAttributeValue'>;
}

/** The endorser's own clock, epoch milliseconds. */
export type Clock = () => number;

export function callerOf({ stub, clientIdentity }: ContractContext): Caller {
  return {
    mspId: clientIdentity.getMSPID(),
    role: clientIdentity.getAttributeValue(ROLE_ATTRIBUTE),
    time: stub.getDateTimestamp().toISOString(),
    transactionId: stub.getTxID(),
  };
}
