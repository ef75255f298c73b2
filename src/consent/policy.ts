/**
 * What an R4 Consent means, before anything is decided: a base effect and a tree of provisions. Parsing it is
 * `parse-consent.ts`, deciding by it `decide.ts`, turning it into rows for the database `rules.ts`.
 */
export type Effect = 'permit' | 'deny';

/** What is being done with a record; Consent.provision.action in our terms. */
export type ConsentAction = 'read' | 'disclose' | 'write' | 'count';

/** Epoch milliseconds, half-open; open ends are infinite. */
export interface Interval {
  readonly from: number;
  readonly until: number;
}

/** A code as a Consent names it: without its system it would say nothing for certain. */
export interface Coding {
  readonly system: string;
  readonly code: string;
}

/**
 * One provision. A list that is undefined does not restrict; a list that is there needs one of its members to match;
 * all lists that are there must match. Lists are never empty.
 */
export interface Provision {
  /** `0` for the root, `0.1` for its second nested one. */
  readonly path: string;
  readonly effect: Effect;
  /** When the provision holds; an ancestor's period bounds it too. */
  readonly period: Interval;
  /** `{institution}/{Type}/{id}` of who asks; of a representative `guardian …` or `proxy …`. */
  readonly actors: readonly string[] | undefined;
  /** The actors act for the patient: what it permits counts as the patient's own (src/consent/acting-as.ts). */
  readonly represents: boolean;
  readonly actions: readonly ConsentAction[] | undefined;
  readonly purposes: readonly string[] | undefined;
  readonly labels: readonly Coding[] | undefined;
  /** Resource types and profile URLs. */
  readonly classes: readonly RecordClass[] | undefined;
  readonly codes: readonly Coding[] | undefined;
  /** Whole UTC days, at least one end of them finite. */
  readonly dataPeriod: Interval | undefined;
  readonly data: readonly DataReference[] | undefined;
  readonly nested: readonly Provision[];
}

export type RecordClass =
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'profile'; readonly url: string };

/** `instance`: this very resource; `authoredby`: what this actor wrote. */
export interface DataReference {
  readonly meaning: 'instance' | 'authoredby';
  /** `{institution}/{Type}/{id}`. */
  readonly resource: string;
}

export interface ConsentPolicy {
  /** The Consent's own name, `{institution}/Consent/{id}`, and its version: what a decision is explained by. */
  readonly consent: string;
  readonly version: number;
  /** `{institution}/Patient/{id}`; undefined where one that is not in force names no patient of its own base. */
  readonly patient: string | undefined;
  /** False: stored, but neither permits nor denies (status, scope). */
  readonly inForce: boolean;
  /** True: from before its patient's record was merged with another; it only denies until it is given again. */
  readonly suspended?: boolean;
  /** The effect on everything of that patient, where policyRule or a bare root gives one. */
  readonly base: Effect | undefined;
  /** Bounds everything in this consent: the root's period. */
  readonly period: Interval;
  /** The root where it is a rule of its own, else what is nested in it. */
  readonly provisions: readonly Provision[];
}

/** A deny of this kind is stronger than a representation: it is addressed to a family member by name. */
export function addressesFamily(provision: Provision): boolean {
  return (provision.actors ?? []).some((actor) => actor.split('/')[1] === 'RelatedPerson') && !provision.represents;
}

export const ALWAYS: Interval = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** Whether anything but the period restricts this provision. */
export function isSpecific(provision: Provision): boolean {
  return (
    provision.actors !== undefined ||
    provision.actions !== undefined ||
    provision.purposes !== undefined ||
    provision.labels !== undefined ||
    provision.classes !== undefined ||
    provision.codes !== undefined ||
    provision.dataPeriod !== undefined ||
    provision.data !== undefined
  );
}
