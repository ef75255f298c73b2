import { type Facet, provisionConditions } from './facets.ts';
import {
  addressesFamily,
  type ConsentPolicy,
  type Effect,
  type Interval,
  isSpecific,
  type Provision,
} from './policy.ts';

/**
 * A policy as the rows that the database decides by: one for the base effect, one for each provision with everything
 * that its ancestors ask folded in, so that a row needs nothing but itself.
 */
export interface ConsentRule {
  readonly provision: string;
  readonly depth: number;
  readonly permit: boolean;
  /** -1 deny to a family member, 0 permit to a representative, 1 specific deny, 2 specific permit, 3 base deny, 4 base permit. */
  readonly rank: -1 | 0 | 1 | 2 | 3 | 4;
  readonly period: Interval;
  readonly namesEmergency: boolean;
  readonly conditions: readonly (readonly Facet[])[];
  /** For a permit: whom it may permit and for what, each `undefined` for everyone and everything. */
  readonly readers: {
    readonly actors: readonly string[] | undefined;
    readonly purposes: readonly string[] | undefined;
  };
}

/** The rows of one consent; none when it is not in force. */
export function consentRules(policy: ConsentPolicy): readonly ConsentRule[] {
  if (!policy.inForce) return [];
  const rules: ConsentRule[] = [];
  if (policy.base !== undefined) rules.push(baseRule(policy, policy.base));
  const visit = (provision: Provision, ancestors: readonly Provision[]): void => {
    const path = [...ancestors, provision];
    rules.push(provisionRule(policy, path, provision));
    for (const nested of provision.nested) visit(nested, path);
  };
  for (const provision of policy.provisions) visit(provision, []);
  return rules.filter((rule) => rule.period.from < rule.period.until);
}

function baseRule(policy: ConsentPolicy, effect: Effect): ConsentRule {
  return {
    provision: '',
    depth: 0,
    permit: effect === 'permit',
    rank: effect === 'permit' ? 4 : 3,
    period: policy.period,
    namesEmergency: false,
    conditions: [],
    readers: { actors: undefined, purposes: undefined },
  };
}

function provisionRule(policy: ConsentPolicy, path: readonly Provision[], provision: Provision): ConsentRule {
  const { effect } = provision;
  const permit = effect === 'permit';
  return {
    provision: provision.path,
    depth: path.length,
    permit,
    rank: rankOf(path, permit),
    period: path.map((one) => one.period).reduce(intersection, policy.period),
    namesEmergency: path.some((one) => (one.purposes ?? []).includes('ETREAT')),
    // What the ancestors ask is read with this provision's effect, as `decide` does.
    conditions: path.flatMap((one) => provisionConditions(one, effect)),
    readers: { actors: nearest(path, (one) => one.actors), purposes: nearest(path, (one) => one.purposes) },
  };
}

function rankOf(path: readonly Provision[], permit: boolean): ConsentRule['rank'] {
  if (permit && path.some((one) => one.represents)) return 0;
  if (!permit && path.some(addressesFamily)) return -1;
  if (path.some(isSpecific)) return permit ? 2 : 1;
  return permit ? 4 : 3;
}

/** The list nearest to the provision: everyone the rule may permit is in it, which is all that `readers` needs. */
function nearest<T>(path: readonly Provision[], list: (one: Provision) => readonly T[] | undefined) {
  return path.map(list).findLast((found) => found !== undefined);
}

function intersection(a: Interval, b: Interval): Interval {
  return { from: Math.max(a.from, b.from), until: Math.min(a.until, b.until) };
}
