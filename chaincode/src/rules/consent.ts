import { bytes32, instant, institutionName, integer, nullable, oneOf, readArgument, set } from './argument.ts';
import { type Caller, checkOwner } from './caller.ts';
import type { Institution } from './institution.ts';
import { refuseUnless } from './refusal.ts';

export const CONSENT_STATUSES = ['active', 'superseded', 'withdrawn'] as const;
export type ConsentStatus = (typeof CONSENT_STATUSES)[number];

export interface ConsentRequest {
  /** The custodian whose consent record this is. */
  readonly institution: string;
  /** Opaque key, 32 bytes in hexadecimal. */
  readonly consent: string;
  /** Salted commitment to the Consent's exact content. */
  readonly commitment: string;
  /** Opaque keys of those to whom something may be released. */
  readonly grantees: readonly string[];
  readonly status: ConsentStatus;
  /** Grows with every change; the Consent's own version. */
  readonly version: number;
  readonly start: string;
  /** The first instant at which it no longer holds; null: open. */
  readonly end: string | null;
}

/** What the ledger holds of one consent. */
export interface ConsentState extends ConsentRequest {
  readonly owner: string;
  readonly time: string;
  readonly transactionId: string;
}

const MOST_GRANTEES = 256;

export function readConsentRequest(argument: string): ConsentRequest {
  return readArgument<ConsentRequest>(argument, {
    institution: institutionName,
    consent: bytes32,
    commitment: bytes32,
    grantees: set(bytes32, MOST_GRANTEES),
    status: oneOf(...CONSENT_STATUSES),
    version: integer(1),
    start: instant,
    end: nullable(instant),
  });
}

/**
 * The first state of a consent that the caller's own institution keeps: it begins active.
 *
 * @throws ContractRefusal `consent-missing`, `invalid-argument`
 */
export function grantConsent(own: Institution, request: ConsentRequest, caller: Caller): ConsentState {
  refuseUnless(request.status === 'active', 'consent-missing', 'only an active consent can be recorded first');
  return consentState(own.owner, request, caller);
}

/**
 * A later state of a consent: changed while active, or ended for good. Whoever consents again makes a new consent.
 *
 * @throws ContractRefusal `not-owner`, `consent-ended`, `consent-version`, `invalid-argument`
 */
export function changeConsent(stored: ConsentState, request: ConsentRequest, caller: Caller): ConsentState {
  checkOwner(stored, caller);
  refuseUnless(request.institution === stored.institution, 'not-owner', 'it belongs to another institution');
  refuseUnless(stored.status === 'active', 'consent-ended', 'the consent was withdrawn or superseded');
  refuseUnless(request.version > stored.version, 'consent-version', 'this version or a later one is recorded already');
  return consentState(stored.owner, request, caller);
}

function consentState(owner: string, request: ConsentRequest, caller: Caller): ConsentState {
  const ordered = request.end === null || Date.parse(request.start) < Date.parse(request.end);
  refuseUnless(ordered, 'invalid-argument', 'end is not after start');
  return { ...request, owner, time: caller.time, transactionId: caller.transactionId };
}

/** Whether the consent lets something be released to `grantee` at `time`. */
export function permitsRelease(state: ConsentState, grantee: string, time: string): boolean {
  const at = Date.parse(time);
  return (
    state.status === 'active' &&
    state.grantees.includes(grantee) &&
    Date.parse(state.start) <= at &&
    (state.end === null || at < Date.parse(state.end))
  );
}
