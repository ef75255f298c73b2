import { refuseUnless } from './refusal.ts';

/** Who calls, and when, as the transaction itself says: all endorsers see the same. */
export interface Caller {
  readonly mspId: string;
  /** The certificate's attribute `medseal.role`. */
  readonly role: string | null;
  /** The proposal's time, a UTC instant. */
  readonly time: string;
  readonly transactionId: string;
}

/** The attribute that a certificate needs to write, and its value. */
export const ROLE_ATTRIBUTE = 'medseal.role';
export const WRITER_ROLE = 'anchorer';

const GREATEST_SKEW_MS = 5 * 60 * 1000;

/**
 * What every writing transaction must satisfy: a writer's certificate, and a time within five minutes of the
 * endorser's own clock (epoch milliseconds), so that nobody dates an anchor back, or ahead.
 *
 * @throws ContractRefusal `not-permitted`, `stale-proposal`
 */
export function checkWriter(caller: Caller, endorserClock: number): void {
  refuseUnless(caller.role === WRITER_ROLE, 'not-permitted', `the certificate lacks ${ROLE_ATTRIBUTE}=${WRITER_ROLE}`);
  const skew = Math.abs(Date.parse(caller.time) - endorserClock);
  refuseUnless(skew <= GREATEST_SKEW_MS, 'stale-proposal', "the proposal's time is over 5 minutes from the endorser's");
}

/** Refuses unless the caller belongs to the organisation that owns `state`. @throws ContractRefusal `not-owner` */
export function checkOwner(state: { readonly owner: string }, caller: Caller): void {
  refuseUnless(state.owner === caller.mspId, 'not-owner', 'it belongs to another organisation');
}
