import { institutionName, mspId, readArgument, set } from './argument.ts';
import { type Caller, checkOwner } from './caller.ts';
import { refuseUnless } from './refusal.ts';

/** Which organisation writes for an institution, and which others may endorse what it writes. */
export interface Institution {
  readonly institution: string;
  /** MSP id; the first to register an institution owns it for good. */
  readonly owner: string;
  /** MSP ids of the other organisations, one of which must endorse beside the owner. */
  readonly endorsers: readonly string[];
  readonly time: string;
}

export interface InstitutionRequest {
  readonly institution: string;
  readonly endorsers: readonly string[];
}

const MOST_ENDORSERS = 100;

export function readInstitutionRequest(argument: string): InstitutionRequest {
  return readArgument<InstitutionRequest>(argument, {
    institution: institutionName,
    endorsers: set(mspId, MOST_ENDORSERS),
  });
}

/** Registers an institution, or changes its endorsers. @throws ContractRefusal `not-owner`, `invalid-argument` */
export function register(stored: Institution | undefined, request: InstitutionRequest, caller: Caller): Institution {
  if (stored !== undefined) checkOwner(stored, caller);
  const others = !request.endorsers.includes(caller.mspId);
  refuseUnless(others, 'invalid-argument', 'the owner endorses anyway and is not one of the others');
  return { institution: request.institution, owner: caller.mspId, endorsers: request.endorsers, time: caller.time };
}

/** The registration that a write for this institution needs. @throws ContractRefusal `not-registered`, `not-owner` */
export function ownInstitution(stored: Institution | undefined, caller: Caller): Institution {
  refuseUnless(stored !== undefined, 'not-registered', 'the institution is not registered');
  checkOwner(stored, caller);
  return stored;
}
