import { bytes32, institutionName, readArgument } from './argument.ts';
import type { Caller } from './caller.ts';
import type { Institution } from './institution.ts';
import { refuseUnless } from './refusal.ts';

/** That something was erased at this time. What, and whose, only a holder of the salt can show. */
export interface Erasure {
  readonly institution: string;
  readonly owner: string;
  /** Opaque key, 32 bytes in hexadecimal. */
  readonly notice: string;
  /** Salted commitment to the erasure certificate. */
  readonly commitment: string;
  readonly time: string;
  readonly transactionId: string;
}

export interface ErasureRequest {
  readonly institution: string;
  readonly notice: string;
  readonly commitment: string;
}

export function readErasureRequest(argument: string): ErasureRequest {
  return readArgument<ErasureRequest>(argument, {
    institution: institutionName,
    notice: bytes32,
    commitment: bytes32,
  });
}

/** Records an erasure of the caller's own institution, once. @throws ContractRefusal `erasure-exists` */
export function erase(stored: Erasure | undefined, own: Institution, request: ErasureRequest, caller: Caller): Erasure {
  refuseUnless(stored === undefined, 'erasure-exists', 'this notice is recorded already');
  return { ...request, owner: own.owner, time: caller.time, transactionId: caller.transactionId };
}
