/**
 * Every way MedSeal refuses or fails, by a stable code. A code is part of the public contract: clients may switch on
 * it (`OperationOutcome.issue.details.coding.code`), so codes are never renamed or reused.
 *
 * `status` is the HTTP status, `issue` the FHIR issue type (http://hl7.org/fhir/R4/valueset-issue-type.html).
 */
const CATALOGUE = {
  // What the client sent is not acceptable.
  'malformed-json': { status: 400, issue: 'structure' },
  'json-limits': { status: 400, issue: 'structure' },
  'duplicate-key': { status: 400, issue: 'structure' },
  'invalid-resource': { status: 422, issue: 'invariant' },
  'invalid-bundle': { status: 400, issue: 'invalid' },
  'invalid-id': { status: 400, issue: 'value' },
  'invalid-patch': { status: 400, issue: 'structure' },
  'patch-failed': { status: 422, issue: 'processing' },
  'invalid-parameter': { status: 400, issue: 'invalid' },
  'unknown-parameter': { status: 400, issue: 'not-supported' },
  'invalid-expression': { status: 422, issue: 'invalid' },
  'search-not-supported': { status: 400, issue: 'not-supported' },
  'terminology-not-available': { status: 422, issue: 'not-supported' },
  'unresolved-reference': { status: 400, issue: 'not-found' },
  'unenforceable-consent': { status: 422, issue: 'not-supported' },
  'invalid-search-parameter': { status: 422, issue: 'not-supported' },
  'evidence-invalid': { status: 422, issue: 'invalid' },
  'body-too-large': { status: 413, issue: 'too-long' },
  'uri-too-long': { status: 414, issue: 'too-long' },
  'unsupported-media-type': { status: 415, issue: 'not-supported' },
  'not-acceptable': { status: 406, issue: 'not-supported' },
  'method-not-allowed': { status: 405, issue: 'not-supported' },
  'not-supported': { status: 404, issue: 'not-supported' },

  // Who asks, and what they may do.
  'login-required': { status: 401, issue: 'login' },
  'token-invalid': { status: 401, issue: 'login' },
  forbidden: { status: 403, issue: 'forbidden' },
  'not-found': { status: 404, issue: 'not-found' },
  gone: { status: 410, issue: 'deleted' },

  // The request does not fit the state of things.
  'precondition-failed': { status: 412, issue: 'conflict' },
  'multiple-matches': { status: 412, issue: 'multiple-matches' },
  'version-conflict': { status: 409, issue: 'conflict' },
  'idempotency-mismatch': { status: 422, issue: 'conflict' },
  'already-exists': { status: 409, issue: 'duplicate' },
  'not-yet-anchored': { status: 404, issue: 'incomplete' },
  'search-parameter-indexing': { status: 409, issue: 'incomplete' },
  'too-costly': { status: 403, issue: 'too-costly' },
  'rate-limited': { status: 429, issue: 'throttled' },

  // Our own trouble.
  'sealed-content-damaged': { status: 500, issue: 'exception' },
  'locks-disagree': { status: 500, issue: 'exception' },
  internal: { status: 500, issue: 'exception' },
  'invalid-configuration': { status: 500, issue: 'exception' },
  'storage-unavailable': { status: 503, issue: 'transient' },
  'storage-full': { status: 503, issue: 'no-store' },
  'ledger-unavailable': { status: 503, issue: 'transient' },
  'ledger-rejected': { status: 500, issue: 'business-rule' },
  fenced: { status: 503, issue: 'transient' },
  'egress-refused': { status: 500, issue: 'security' },
  'egress-failed': { status: 503, issue: 'transient' },
  'timed-out': { status: 503, issue: 'timeout' },
} as const satisfies Record<string, { status: number; issue: string }>;

export type ErrorCode = keyof typeof CATALOGUE;
/** All of them; docs/errors.md explains each. */
export const ERROR_CODES = Object.keys(CATALOGUE) as readonly ErrorCode[];

/** One finding, as it becomes one `OperationOutcome.issue`. `diagnostics` must never hold a value from a record. */
export interface Issue {
  readonly severity: 'error' | 'warning' | 'information';
  /** FHIR issue type; the error's own when absent. */
  readonly code?: string;
  readonly diagnostics: string;
  /** FHIRPath of the element, such as `Observation.status` or `Bundle.entry[3].resource.code`. */
  readonly expression?: string;
}

/** The one error type. What reaches a client is `code`, `message` and `issues`; `cause` goes to the log only. */
export class MedSealError extends Error {
  override readonly name = 'MedSealError';
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; expression?: string; issues?: readonly Issue[] } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    const own: Issue = { severity: 'error', diagnostics: message };
    this.issues =
      options.issues ?? (options.expression === undefined ? [own] : [{ ...own, expression: options.expression }]);
  }

  get status(): number {
    return CATALOGUE[this.code].status;
  }

  get issueType(): string {
    return CATALOGUE[this.code].issue;
  }
}

/** Throws when `condition` does not hold: for what only a defect of ours can bring about. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new MedSealError('internal', message);
}
