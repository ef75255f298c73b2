import { DIRECTORY_TYPES } from './directory.ts';
import { coveredLabels, effectiveLabels } from './labels.ts';
import type {
  Coding,
  ConsentAction,
  ConsentPolicy,
  DataReference,
  Effect,
  Interval,
  Provision,
  RecordClass,
} from './policy.ts';
import { isSpecific } from './policy.ts';
import { isTreatment, purposeAndAncestors } from './purposes.ts';

/**
 * The second of the two consent locks: decides again, from the opened record and the opened consents, what the views
 * of migration 0005 decided from tokens. Pure; names are `{institution}/{Type}/{id}`.
 */
export interface AccessRequest {
  readonly institution: string;
  /** Everyone the requester acts as: institution, its ancestors, user, roles, groups. */
  readonly actors: readonly string[];
  readonly purposes: readonly string[];
  readonly action: ConsentAction;
  /** Epoch milliseconds. */
  readonly instant: number;
  /** Patients whose own record this is, or who are represented. */
  readonly self: readonly string[];
  /** Set when the token's clinical scopes are `patient/…`: nothing outside these patients' compartment. */
  readonly compartment: readonly string[] | undefined;
  /** A break-glass token. */
  readonly emergency: boolean;
  /** False for a patient's client: it has no default access to the institution that it is registered with. */
  readonly custodianAccess: boolean;
}

/** What a record tells about itself. Empty lists and undefined mean that it does not tell. */
export interface RecordFacts {
  readonly institution: string;
  readonly type: string;
  readonly name: string;
  /** Everyone in whose compartment it lies; {@link UNKNOWN_PATIENT} for one who cannot be determined. */
  readonly patients: readonly string[];
  readonly profiles: readonly string[];
  readonly labels: readonly Coding[];
  /** What the record is about: its type's `code`. */
  readonly codes: readonly Coding[];
  /** Every code anywhere in it. */
  readonly mentions: readonly Coding[];
  /** From the earliest to the latest instant of the type's `date`. */
  readonly dates: Interval | undefined;
  readonly authors: readonly string[];
}

export const UNKNOWN_PATIENT = '?';

export interface Decision {
  readonly permit: boolean;
  readonly basis: 'directory' | 'self' | 'consent' | 'custodian' | 'emergency' | 'compartment' | 'default';
  /** The provision that decided, where one did. */
  readonly by?: { readonly consent: string; readonly version: number; readonly provision: string };
}

/** Decides one request for one record. `policies` holds the consents of every patient of the record. */
export function decide(request: AccessRequest, record: RecordFacts, policies: readonly ConsentPolicy[]): Decision {
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

function decideWithoutPatient(request: AccessRequest, record: RecordFacts): Decision {
  if (DIRECTORY_TYPES.has(record.type)) return { permit: true, basis: 'directory' };
  return { permit: request.custodianAccess && record.institution === request.institution, basis: 'custodian' };
}

function decideForPatient(
  request: AccessRequest,
  record: RecordFacts,
  patient: string,
  policies: readonly ConsentPolicy[],
): Decision {
  if (request.self.includes(patient)) return { permit: true, basis: 'self' };
  const verdicts = policies
    .filter((policy) => policy.inForce && policy.patient === patient)
    .map((policy) => verdictOf(policy, request, record))
    .filter((verdict) => verdict !== undefined);
  const [strongest] = verdicts.sort((a, b) => rankOf(a) - rankOf(b));
  const rank = strongest === undefined ? undefined : rankOf(strongest);
  if (strongest !== undefined && (rank === RANK.specificDeny || strongest.effect === 'permit')) {
    return { permit: strongest.effect === 'permit', basis: 'consent', by: strongest.by };
  }
  // A base deny leaves the custodian's default untouched.
  if (request.emergency) return { permit: true, basis: 'emergency' };
  if (request.custodianAccess && record.institution === request.institution && isTreatment(request.purposes)) {
    return { permit: true, basis: 'custodian' };
  }
  if (strongest !== undefined) return { permit: false, basis: 'consent', by: strongest.by };
  return { permit: false, basis: 'default' };
}

const RANK = { specificDeny: 1, specificPermit: 2, baseDeny: 3, basePermit: 4 } as const;

interface Verdict {
  readonly effect: Effect;
  readonly specific: boolean;
  readonly depth: number;
  readonly by: { readonly consent: string; readonly version: number; readonly provision: string };
}

function rankOf(verdict: Verdict): number {
  if (verdict.specific) return verdict.effect === 'deny' ? RANK.specificDeny : RANK.specificPermit;
  return verdict.effect === 'deny' ? RANK.baseDeny : RANK.basePermit;
}

/** Within one consent the deepest matching provision decides; of equals that differ, the deny. */
function verdictOf(policy: ConsentPolicy, request: AccessRequest, record: RecordFacts): Verdict | undefined {
  if (!includes(policy.period, request.instant)) return undefined;
  const by = { consent: policy.consent, version: policy.version };
  const found: Verdict[] = [];
  if (policy.base !== undefined && !request.emergency) {
    found.push({ effect: policy.base, specific: false, depth: 0, by: { ...by, provision: '' } });
  }
  const visit = (provision: Provision, above: Path, depth: number): void => {
    const path = extend(above, provision, request, record);
    const matches = provision.effect === 'deny' ? path.deny : path.permit;
    const heard = !request.emergency || (provision.effect === 'deny' && path.emergency);
    if (matches && heard) {
      const { effect } = provision;
      found.push({ effect, specific: path.specific, depth, by: { ...by, provision: provision.path } });
    }
    for (const nested of provision.nested) visit(nested, path, depth + 1);
  };
  for (const provision of policy.provisions) visit(provision, TOP, 1);
  return found.sort((a, b) => b.depth - a.depth || denyFirst(a) - denyFirst(b) || rankOf(a) - rankOf(b))[0];
}

function denyFirst(verdict: Verdict): number {
  return verdict.effect === 'deny' ? 0 : 1;
}

/**
 * What holds on the way from the root to a provision. What a record does not tell satisfies a deny and never a permit,
 * so whether the way matches depends on the effect that is asked for.
 */
interface Path {
  readonly permit: boolean;
  readonly deny: boolean;
  readonly specific: boolean;
  /** A provision on the way names ETREAT. */
  readonly emergency: boolean;
}

const TOP: Path = { permit: true, deny: true, specific: false, emergency: false };

function extend(above: Path, provision: Provision, request: AccessRequest, record: RecordFacts): Path {
  return {
    permit: above.permit && provisionMatches(provision, 'permit', request, record),
    deny: above.deny && provisionMatches(provision, 'deny', request, record),
    specific: above.specific || isSpecific(provision),
    emergency: above.emergency || (provision.purposes ?? []).includes('ETREAT'),
  };
}

function provisionMatches(provision: Provision, effect: Effect, request: AccessRequest, record: RecordFacts): boolean {
  const untold = effect === 'deny';
  const codes = effect === 'deny' ? record.mentions : record.codes;
  const labels = effectiveLabels(record.labels);
  const { actors, actions, purposes } = provision;
  return (
    includes(provision.period, request.instant) &&
    (actors === undefined || actors.some((actor) => request.actors.includes(actor))) &&
    (actions === undefined || actions.includes(request.action)) &&
    (purposes === undefined || request.purposes.some((own) => overlaps(purposeAndAncestors(own), purposes))) &&
    anyMatches(provision.classes, (wanted) => classMatches(wanted, record, untold)) &&
    anyMatches(provision.codes, (wanted) => codingMatches([wanted], codes, untold)) &&
    anyMatches(provision.labels, (wanted) => codingMatches(coveredLabels(wanted), labels, untold)) &&
    periodMatches(provision.dataPeriod, untold, record) &&
    anyMatches(provision.data, (wanted) => dataMatches(wanted, record, untold))
  );
}

function anyMatches<T>(wanted: readonly T[] | undefined, matches: (one: T) => boolean): boolean {
  return wanted === undefined || wanted.some(matches);
}

function codingMatches(wanted: readonly Coding[], told: readonly Coding[], untold: boolean): boolean {
  if (told.length === 0) return untold;
  return wanted.some((one) => told.some((other) => sameCoding(one, other)));
}

function periodMatches(wanted: Interval | undefined, untold: boolean, record: RecordFacts): boolean {
  if (wanted === undefined) return true;
  if (record.dates === undefined) return untold;
  return record.dates.from < wanted.until && record.dates.until > wanted.from;
}

function classMatches(wanted: RecordClass, record: RecordFacts, untold: boolean): boolean {
  if (wanted.kind === 'type') return wanted.type === record.type;
  return record.profiles.includes(wanted.url) || (untold && record.profiles.length === 0);
}

function dataMatches(wanted: DataReference, record: RecordFacts, untold: boolean): boolean {
  if (wanted.meaning === 'instance') return wanted.resource === record.name;
  return record.authors.includes(wanted.resource) || (untold && record.authors.length === 0);
}

function sameCoding(wanted: Coding, one: Coding): boolean {
  return wanted.code === one.code && (wanted.system === undefined || wanted.system === one.system);
}

function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.includes(one));
}

function includes(interval: Interval, instant: number): boolean {
  return interval.from <= instant && instant < interval.until;
}
