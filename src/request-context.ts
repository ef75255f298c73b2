/**
 * Who asks, on whose behalf, for what, and when: made once per request by authentication and passed explicitly to
 * everything below. Nothing here is looked up again later, so one request is decided on one set of facts.
 */

/** Actions of a SMART v2 scope: create, read, update, delete, search. */
export type ScopeAction = 'c' | 'r' | 'u' | 'd' | 's';

/** One SMART scope, v1 or v2, as granted. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html */
export interface Scope {
  readonly context: 'patient' | 'user' | 'system';
  /** A resource type or `*`. */
  readonly type: string;
  readonly actions: ReadonlySet<ScopeAction>;
  /** Granular restriction: the search parameters behind `?`, as name and value, all of which must match. */
  readonly restriction: readonly (readonly [name: string, value: string])[];
}

/** A resource as a principal may be bound to it: `Patient/x` or `Practitioner/y` of one institution. */
export interface ResourceIdentity {
  readonly institution: string;
  readonly type: string;
  readonly id: string;
}

/** What a valid access token says. */
export interface Principal {
  readonly clientId: string;
  /** The institution that the client belongs to, as in `/{institution}/fhir`. */
  readonly institution: string;
  readonly scopes: readonly Scope[];
  /** v3-PurposeOfUse codes of this token; empty: no default access. */
  readonly purposes: readonly string[];
  /** The patient in context (`patient/…` scopes are limited to it). */
  readonly patient?: ResourceIdentity;
  /** The human user, when there is one: a Practitioner, Patient or RelatedPerson. */
  readonly user?: ResourceIdentity;
  /** A token for emergency treatment of this one patient (DESIGN §7.5). */
  readonly emergency?: ResourceIdentity;
  /** True for the operator's own credential: administration only, never clinical content. */
  readonly administrator: boolean;
}

/** The institution base a request addresses, or the union of all of them (`/fhir`). */
export type Base = { readonly kind: 'institution'; readonly institution: string } | { readonly kind: 'union' };

export interface RequestContext {
  /** Ours, random; never the client's own header, which could carry anything. */
  readonly requestId: string;
  readonly principal: Principal;
  readonly base: Base;
  /** The one instant of this request, epoch milliseconds from the database clock, never below the highest seen. */
  readonly instant: number;
  readonly asked: Asked;
  /**
   * As whom else the principal acts at this instant, as consents name them: departments, roles, groups, devices, and
   * `guardian …` or `proxy …` for the RelatedPerson that it is. Resolved once (src/consent/acting-as.ts).
   */
  readonly actingAs?: readonly string[];
  /** How long its searches may take, and when they let others go on. Without one they take as long as they take. */
  readonly patience?: Patience;
  /** Takes down what this request shows or writes; becomes its leaf in the access log. */
  readonly journal: AccessJournal;
}

/** What a request was, for the access trail; what it showed is in its journal. */
export interface Asked {
  /** FHIR's restful-interaction code, or an operation's name. */
  readonly interaction: string;
  /** `Type` or `Type/id` as asked for, '' for the base. */
  readonly target: string;
  /** Search parameters as sent, '' where there are none. */
  readonly query: string;
}

/** What a request's searches ask before each step. */
export interface Patience {
  /**
   * Runs a statement that ends after so many milliseconds, perhaps twice.
   *
   * @throws MedSealError `timed-out` when the request's time is over
   */
  statement<T>(run: (milliseconds: number) => Promise<T>): Promise<T>;
  /**
   * Before a record is opened. When others should go on first, what to wait for.
   *
   * @throws MedSealError `timed-out`
   */
  opening(): Promise<void> | undefined;
}

/** One version that a request showed or wrote. */
export interface JournalEntry {
  /** Institution whose record it is, by number. */
  readonly institution: number;
  /** `{institution}/{Type}/{id}/_history/{version}` */
  readonly name: string;
  readonly leafHash: Buffer;
  /** `{institution}/Patient/{id}` of its patients. */
  readonly patients: readonly string[];
}

export interface AccessJournal {
  add(entry: JournalEntry): void;
  readonly entries: readonly JournalEntry[];
  /** What the requester said about it, such as why they broke the glass. */
  remark: string | undefined;
  /** The status that the request's entries of the access trail tell, once they are stored: with what it wrote. */
  recordedAs: number | undefined;
}

export function createJournal(): AccessJournal {
  const entries: JournalEntry[] = [];
  return { add: (entry) => void entries.push(entry), entries, remark: undefined, recordedAs: undefined };
}
