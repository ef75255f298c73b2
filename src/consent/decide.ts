import { isTreatment } from '../fhir/terminology/purpose-of-use.ts';
import { DIRECTORY_TYPES } from './directory.ts';
import type { RecordFacts } from './facts.ts';
import { type GranularGrant, grantCovers } from './granular-scopes.ts';
import { includes, provisionMatches } from './match-provision.ts';
import {
  addressesFamily,
  type ConsentAction,
  type ConsentPolicy,
  type Effect,
  isSpecific,
  type Provision,
} from './policy.ts';
import { type CoveredTypes, covers } from './scope-types.ts';

/**
 * The second of the two consent locks: decides again, from the opened record and the opened consents, what the views
 * of migration 0005 decided from tokens. Pure; names are `{institution}/{Type}/{id}`.
 */
export interface AccessRequest {
  /** What the token's scopes cover for this interaction, whatever else a record holds. */
  readonly types: CoveredTypes;
  /** What they cover beyond that, record by record. */
  readonly granular: readonly GranularGrant[];
  readonly institution: string;
  /** Everyone the requester acts as: institution, its ancestors, user, roles, groups. */
  readonly actors: readonly string[];
  readonly purposes: readonly string[];
  readonly action: ConsentAction;
  /** Epoch milliseconds. */
  readonly instant: number;
  /** Patients whose own record this is, or who are represented. */
  readonly self: readonly string[];
  /** Set when the token is limited to these patients' compartments: clinical scopes of `patient/…`, break-glass. */
  readonly compartment: readonly string[] | undefined;
  /** A break-glass token, for the patients of its compartment. */
  readonly emergency: boolean;
  /** False for a patient's client: it has no default access to the institution that it is registered with. */
  readonly custodianAccess: boolean;
}

export interface Decision {
  readonly permit: boolean;
  readonly basis:
    | 'scope'
    | 'directory'
    | 'self'
    | 'representative'
    | 'consent'
    | 'custodian'
    | 'emergency'
    | 'compartment'
    | 'default';
  /** The provision that decided, where one did. */
  readonly by?: DecidedBy;
}

interface DecidedBy {
  readonly consent: string;
  readonly version: number;
  /** `''` for the base, `0` for the root, `0.1` for its second nested one. */
  readonly provision: string;
}

/** Decides one request for one record. `policies` holds the consents of every patient of the record. */
export function decide(request: AccessRequest, record: RecordFacts, policies: readonly ConsentPolicy[]): Decision {
  if (!coveredByScope(request, record)) return { permit: false, basis: 'scope' };
  if (record.patients.length === 0) return decideWithoutPatient(request, record);
  const { compartment } = request;
  if (compartment !== undefined && !record.patients.some((patient) => compartment.includes(patient))) {
    return { permit: false, basis: 'compartment' };
  }
  // Every patient must permit; the first who does not is the reason, else the last one's is as good as any.
  let decision: Decision = { permit: false, basis: 'default' };
  for (const patient of record.patients) {
    decision = decideForPatient(request, record, patient, policies);
    if (!decision.permit) return decision;
  }
  return decision;
}

/** DESIGN 7.1. */
export function coveredByScope({ types, granular }: AccessRequest, record: RecordFacts): boolean {
  return covers(types, record.type) || granular.some((grant) => grantCovers(grant, record));
}

function decideWithoutPatient(request: AccessRequest, record: RecordFacts): Decision {
  if (DIRECTORY_TYPES.has(record.type)) return { permit: true, basis: 'directory' };
  const own = request.custodianAccess && record.institution === request.institution;
  return { permit: own && request.compartment === undefined, basis: 'custodian' };
}

function decideForPatient(
  request: AccessRequest,
  record: RecordFacts,
  patient: string,
  policies: readonly ConsentPolicy[],
): Decision {
  if (request.self.includes(patient)) return { permit: true, basis: 'self' };
  const emergency = request.emergency && request.compartment?.includes(patient) === true;
  const verdicts = policies
    .filter((policy) => policy.inForce && policy.patient === patient && includes(policy.period, request.instant))
    .map((policy) => verdictOf(policy, request, record, emergency))
    .filter((verdict) => verdict !== undefined);
  const [strongest] = verdicts.sort((a, b) => rankOf(a) - rankOf(b));
  if (strongest?.effect === 'permit') {
    return { permit: true, basis: strongest.represents ? 'representative' : 'consent', by: strongest.by };
  }
  if (strongest?.specific) return { permit: false, basis: 'consent', by: strongest.by };
  // A base deny leaves the custodian's default untouched.
  if (emergency) return { permit: true, basis: 'emergency' };
  if (request.custodianAccess && record.institution === request.institution && isTreatment(request.purposes)) {
    return { permit: true, basis: 'custodian' };
  }
  return strongest === undefined
    ? { permit: false, basis: 'default' }
    : { permit: false, basis: 'consent', by: strongest.by };
}

/**
 * Across consents: what is denied to a family member, what a representative is permitted, then specific deny, specific
 * permit, base deny, base permit.
 */
function rankOf({ effect, specific, represents, family }: Verdict): number {
  if (effect === 'deny' ? family : represents) return effect === 'deny' ? -1 : 0;
  return (specific ? 1 : 3) + (effect === 'deny' ? 0 : 1);
}

interface Verdict {
  readonly effect: Effect;
  /** An attribute other than the period had to match. */
  readonly specific: boolean;
  /** Actors on the way act for the patient. */
  readonly represents: boolean;
  /** Actors on the way are of the patient's family, and named as recipients. */
  readonly family: boolean;
  readonly depth: number;
  readonly by: DecidedBy;
}

/** Within one consent the deepest matching provision decides; of equals that differ, the deny. */
function verdictOf(
  policy: ConsentPolicy,
  request: AccessRequest,
  record: RecordFacts,
  emergency: boolean,
): Verdict | undefined {
  const { consent, version } = policy;
  const found: Verdict[] = [];
  const hear = (effect: Effect, way: Way, depth: number, provision: string) => {
    if (effect === 'permit' && policy.suspended === true) return;
    // Break-glass overrides everything but a deny that names it, and the exceptions nested in that.
    if (emergency && effect === 'deny' && !way.namesEmergency) return;
    const { specific, represents, family } = way;
    found.push({ effect, specific, represents, family, depth, by: { consent, version, provision } });
  };
  const visit = (provision: Provision, above: Way, depth: number): void => {
    const way = extend(above, provision, request, record);
    const { effect, path } = provision;
    if (way[effect]) hear(effect, way, depth, path);
    for (const nested of provision.nested) visit(nested, way, depth + 1);
  };
  if (policy.base !== undefined) hear(policy.base, START, 0, '');
  for (const provision of policy.provisions) visit(provision, START, 1);
  return found.sort((a, b) => b.depth - a.depth || denyFirst(a) - denyFirst(b) || rankOf(a) - rankOf(b))[0];
}

function denyFirst({ effect }: Verdict): number {
  return effect === 'deny' ? 0 : 1;
}

/**
 * What holds on the way from the root to a provision. What a record does not tell satisfies a deny and never a permit,
 * so whether the way matches depends on the effect that is asked for at its end.
 */
interface Way {
  readonly permit: boolean;
  readonly deny: boolean;
  readonly specific: boolean;
  readonly represents: boolean;
  readonly family: boolean;
  /** A provision on the way names ETREAT. */
  readonly namesEmergency: boolean;
}

const START: Way = {
  permit: true,
  deny: true,
  specific: false,
  represents: false,
  family: false,
  namesEmergency: false,
};

function extend(above: Way, provision: Provision, request: AccessRequest, record: RecordFacts): Way {
  return {
    permit: above.permit && provisionMatches(provision, 'permit', request, record),
    deny: above.deny && provisionMatches(provision, 'deny', request, record),
    specific: above.specific || isSpecific(provision),
    represents: above.represents || provision.represents,
    family: above.family || addressesFamily(provision),
    namesEmergency: above.namesEmergency || (provision.purposes ?? []).includes('ETREAT'),
  };
}
