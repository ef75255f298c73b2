/**
 * DESIGN §7 once more, as plainly as it can be written, from the resources as they were sent: the judge of both locks. It
 * imports nothing from src/ and shares no idea with it but the text. Longer than 300 lines: one judgement.
 */
import {
  aboutOf,
  authorsOf,
  type Code,
  codesOf,
  datesOf,
  labelsOf,
  list,
  mentionedIn,
  nameOf,
  namesOf,
  type OracleNode,
  type OracleRecord,
  profilesOf,
  span,
  typesOf,
} from './oracle-facts.ts';

type Json = Readonly<Record<string, unknown>>;
type Effect = 'permit' | 'deny';

export interface OracleRequest {
  readonly institution: string;
  /** SMART scopes, separated by spaces. */
  readonly scopes: string;
  readonly letter: 'r' | 's';
  readonly purposes: readonly string[];
  /** `{institution}/{Type}/{id}` */
  readonly patient: string | undefined;
  readonly user: string | undefined;
  readonly actingAs: readonly string[];
  readonly action: 'read' | 'disclose' | 'count';
  readonly instant: number;
  readonly represented: readonly string[];
  /** Undefined unless the glass was broken. */
  readonly emergency: readonly string[] | undefined;
}

/** The newest version of a Consent that is not deleted. */
export interface OracleConsent {
  readonly institution: string;
  readonly resource: Json;
  /** Which of all writes it was part of. */
  readonly place: number;
}

/** That one Patient replaces another, or is replaced by it, and since which write. */
export interface OracleLink {
  readonly patient: string;
  readonly other: string;
  readonly place: number;
}

const DIRECTORY = ['Medication', 'Location', 'Organization', 'Practitioner', 'PractitionerRole'];
const PARENTS: Readonly<Record<string, string>> = {
  ETREAT: 'TREAT',
  CLINTRCHPC: 'CLINTRCH',
  CLINTRCH: 'HRESCH',
  TREAT: 'PurposeOfUse',
  HRESCH: 'PurposeOfUse',
  HMARKT: 'PurposeOfUse',
};
const ORDER = 'ULMNRV';
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const ICD10 = 'http://hl7.org/fhir/sid/icd-10';

export function oraclePermits(
  request: OracleRequest,
  record: OracleRecord,
  consents: readonly OracleConsent[],
  links: readonly OracleLink[],
  node: OracleNode,
): boolean {
  const scopes = request.scopes.split(' ').map(readScope);
  const onlyPatient = scopes.every((scope) => scope.context === 'patient');
  const compartment = request.emergency ?? (onlyPatient && request.patient ? [request.patient] : undefined);
  const inside = (patients: readonly string[]) =>
    record.patients.length === 0
      ? DIRECTORY.includes(record.type)
      : record.patients.some((one) => patients.includes(one));
  const covered = scopes.some((scope) => {
    const limited = !onlyPatient && scope.context === 'patient';
    return scopeCovers(scope, request.letter, record) && (!limited || inside(request.patient ? [request.patient] : []));
  });
  if (!covered) return false;
  const personal = /\/(Patient|RelatedPerson)\//.test(request.user ?? '');
  const own = !personal && request.institution === record.institution;
  if (record.patients.length === 0) return DIRECTORY.includes(record.type) || (own && compartment === undefined);
  if (compartment !== undefined && !inside(compartment)) return false;
  return record.patients.every((patient) => patientPermits(patient, request, record, { consents, links }, node, own));
}

function readScope(text: string) {
  const [, context = '', type = '', letters = '', query = ''] = /^(\w+)\/([\w*]+)\.(\w+)(?:\?(.*))?$/.exec(text) ?? [];
  const conditions = query
    .split('&')
    .filter(Boolean)
    .map((part) => part.split('='));
  return { context, type, letters, conditions };
}

function scopeCovers(
  { type, letters, conditions }: ReturnType<typeof readScope>,
  letter: string,
  record: OracleRecord,
) {
  if (!letters.includes(letter) || (type !== '*' && type !== record.type)) return false;
  return conditions.every(([parameter = '', values = '']) =>
    values.split(',').some((value) => {
      const [first = '', second] = value.split('|');
      return codesOf(record, parameter).some((one) =>
        second === undefined ? one.code === first : one.code === second && one.system === first,
      );
    }),
  );
}

function patientPermits(
  patient: string,
  request: OracleRequest,
  record: OracleRecord,
  { consents, links }: { readonly consents: readonly OracleConsent[]; readonly links: readonly OracleLink[] },
  node: OracleNode,
  own: boolean,
): boolean {
  if (request.user?.includes('/Patient/') && request.user === patient) return true;
  if (request.represented.includes(patient)) return true;
  const broken = request.emergency?.includes(patient) === true;
  const { same, since } = mergedWith(patient, links);
  const strengths = consents
    .filter(({ resource, institution }) => same.includes(nameOf(refOf(resource.patient), institution, node) ?? ''))
    .map((consent) => outcomeOf(consent, request, record, node, broken, consent.place < since))
    .filter((one) => one !== undefined);
  const strongest = Math.min(...strengths);
  if (strongest === 0 || strongest === 2 || strongest === 4) return true;
  if (strongest === 1 || strongest === -1) return false;
  return broken || (own && request.purposes.some((purpose) => lineOf(purpose).includes('TREAT')));
}

/** Everyone who is the same patient, by any number of links, and the newest of these. */
function mergedWith(patient: string, links: readonly OracleLink[]) {
  const same = [patient];
  let since = Number.NEGATIVE_INFINITY;
  for (let count = 0; count !== same.length; ) {
    count = same.length;
    for (const { patient: one, other, place } of links) {
      if (!same.includes(one) && !same.includes(other)) continue;
      since = Math.max(since, place);
      for (const name of [one, other]) if (!same.includes(name)) same.push(name);
    }
  }
  return { same, since };
}

/** -1 and 0 by name in the family, 1 and 2 specific, 3 and 4 the base; odd denies, even permits. */
function outcomeOf(
  { resource, institution }: OracleConsent,
  request: OracleRequest,
  record: OracleRecord,
  node: OracleNode,
  broken: boolean,
  beforeMerge: boolean,
): number | undefined {
  if (!speaks(resource, request.instant)) return undefined;
  const { root, bare, rootEffect, base } = headOf(resource);
  const found: { depth: number; strength: number }[] = [];
  const hears = (effect: Effect) => !(beforeMerge && effect === 'permit');
  if (base !== undefined && hears(base) && !(broken && base === 'deny'))
    found.push({ depth: 0, strength: base === 'deny' ? 3 : 4 });

  const visit = (provision: Json, path: readonly Json[]): void => {
    const way = [...path, provision];
    const effect = (provision.type ?? rootEffect) as Effect;
    const heard = !broken || effect === 'permit' || way.some((one) => purposesOf(one).includes('ETREAT'));
    if (heard && hears(effect) && way.every((one) => matches(one, effect, request, record, institution, node))) {
      found.push({ depth: way.length, strength: strengthOf(way, effect) });
    }
    for (const nested of list(provision.provision) as Json[]) visit(nested, way);
  };
  if (root !== undefined && !bare) visit(root, []);
  else for (const nested of list(root?.provision) as Json[]) visit(nested, []);
  const deepest = Math.max(...found.map((one) => one.depth));
  const deciding = found.filter((one) => one.depth === deepest).map((one) => one.strength);
  const denials = deciding.filter((strength) => strength % 2 !== 0);
  if (deciding.length === 0) return undefined;
  return Math.min(...(denials.length > 0 ? denials : deciding));
}

function speaks({ status, scope, provision }: Json, instant: number): boolean {
  const about = codeOf(scope);
  const period = (provision as Json | undefined)?.period as Json | undefined;
  const inTime = period === undefined || holds(period, instant);
  return status === 'active' && (about === 'patient-privacy' || about === 'research') && inTime;
}

/** The root, whether it names anything, what it does when it does not say, and the base. */
function headOf(resource: Json) {
  const root = resource.provision as Json | undefined;
  const rule = codeOf(resource.policyRule);
  const declared: Effect | undefined = rule === undefined ? undefined : rule === 'OPTIN' ? 'permit' : 'deny';
  const bare = root === undefined || !ATTRIBUTES.some((name) => root[name] !== undefined);
  const rootEffect: Effect = declared === 'permit' ? 'deny' : 'permit';
  return { root, bare, rootEffect, base: declared ?? (bare ? (root?.type as Effect | undefined) : undefined) };
}

function strengthOf(way: readonly Json[], effect: Effect): number {
  const actors = way.flatMap((one) => list(one.actor) as Json[]);
  const acts = actors.some(({ role }) => codeOf(role) !== 'IRCP');
  const family = way.some((one) =>
    (list(one.actor) as Json[]).some(
      ({ role, reference }) => codeOf(role) === 'IRCP' && refOf(reference).startsWith('RelatedPerson/'),
    ),
  );
  if (effect === 'permit' && acts) return 0;
  if (effect === 'deny' && family) return -1;
  const specific = way.some((one) => ATTRIBUTES.some((name) => one[name] !== undefined));
  return (specific ? 1 : 3) + (effect === 'deny' ? 0 : 1);
}

const ATTRIBUTES = ['actor', 'action', 'securityLabel', 'purpose', 'class', 'code', 'dataPeriod', 'data'];

function matches(
  provision: Json,
  effect: Effect,
  request: OracleRequest,
  record: OracleRecord,
  institution: string,
  node: OracleNode,
): boolean {
  const permits = effect === 'permit';
  const any = (name: string, test: (one: Json) => boolean) =>
    provision[name] === undefined || (list(provision[name]) as Json[]).some(test);
  return (
    (provision.period === undefined || holds(provision.period as Json, request.instant)) &&
    any('actor', (actor) => isActor(actor, request, institution, node)) &&
    any('action', (action) => ACTIONS[codeOf(action) ?? ''] === request.action) &&
    (provision.purpose === undefined || purposeMatches(purposesOf(provision), permits, request.purposes)) &&
    any('class', (one) => classMatches(String(one.code), permits, record)) &&
    any('code', (one) => (list(one.coding) as Code[]).some((coding) => codeMatches(coding, permits, record))) &&
    any('securityLabel', (one) => labelMatches(one as unknown as Code, permits, record)) &&
    (provision.dataPeriod === undefined || dateMatches(provision.dataPeriod as Json, permits, record)) &&
    any('data', (one) => dataMatches(one, permits, record, institution, node))
  );
}

const ACTIONS: Readonly<Record<string, string>> = { access: 'read', use: 'read', disclose: 'disclose', count: 'count' };

function isActor({ role, reference }: Json, request: OracleRequest, institution: string, node: OracleNode): boolean {
  const name = nameOf(refOf(reference), institution, node) ?? '';
  const kind = { IRCP: '', GUARD: 'guardian ', HPOWATT: 'proxy ' }[codeOf(role) ?? ''];
  const personal = /\/(Patient|RelatedPerson)\//.test(request.user ?? '');
  const actors = [
    ...(personal ? [] : [`${request.institution}/Organization/${request.institution}`]),
    ...(request.user === undefined || request.user.includes('/RelatedPerson/') ? [] : [request.user]),
    ...request.actingAs,
  ];
  return actors.includes(`${kind}${name}`);
}

function purposeMatches(wanted: readonly string[], permits: boolean, purposes: readonly string[]): boolean {
  if (purposes.length === 0) return !permits;
  return purposes.some((purpose) => lineOf(purpose).some((one) => wanted.includes(one)));
}

function classMatches(code: string, permits: boolean, record: OracleRecord): boolean {
  const type = code.replace('http://hl7.org/fhir/StructureDefinition/', '');
  const isType = !type.includes('/');
  const { own, inside } = isType ? typesOf(record) : profilesOf(record);
  const wanted = isType ? type : code;
  return own.includes(wanted) || (!permits && (inside.includes(wanted) || own.length === 0));
}

function codeMatches(wanted: Code, permits: boolean, record: OracleRecord): boolean {
  const about = aboutOf(record);
  if (about.some((one) => isKindOf(one, wanted))) return true;
  if (permits) return false;
  return about.length === 0 || mentionedIn(record.resource).some((one) => isKindOf(one, wanted));
}

function isKindOf(one: Code, wanted: Code): boolean {
  if (one.system !== undefined && one.system !== wanted.system) return false;
  if (one.code === wanted.code) return true;
  return one.system === ICD10 && wanted.code.length >= 3 && one.code.startsWith(wanted.code);
}

function labelMatches(wanted: Code, permits: boolean, record: OracleRecord): boolean {
  const { own, inside } = labelsOf(record);
  if (wanted.system === CONFIDENTIALITY && rank(wanted.code) >= 0) {
    const marks = [own, ...inside].map(highest);
    const [ownMark] = marks;
    if (ownMark === undefined) return !permits;
    const told = marks.filter((one) => one !== undefined);
    if (!permits) return told.some((one) => rank(one.code) <= rank(wanted.code));
    const overall = highest(told) as Code;
    return overall.system !== undefined && rank(overall.code) <= rank(wanted.code);
  }
  const equal = (one: Code) => one.code === wanted.code && one.system === wanted.system;
  if (permits) return own.some(equal);
  const maybe = (one: Code) => one.code === wanted.code && (one.system === undefined || one.system === wanted.system);
  return own.length === 0 || [own, ...inside].flat().some(maybe);
}

/** Of those that rank the same, one that bears its system. */
function highest(labels: readonly Code[]): Code | undefined {
  const ranked = labels.filter(
    ({ system, code }) => (system === undefined || system === CONFIDENTIALITY) && rank(code) >= 0,
  );
  const top = Math.max(...ranked.map(({ code }) => rank(code)));
  const best = ranked.filter(({ code }) => rank(code) === top);
  return best.find(({ system }) => system !== undefined) ?? best[0];
}

function rank(code: string): number {
  return code.length === 1 ? ORDER.indexOf(code) : -1;
}

function dateMatches(period: Json, permits: boolean, record: OracleRecord): boolean {
  const dates = datesOf(record);
  if (dates === undefined) return !permits;
  const from = period.start === undefined ? Number.NEGATIVE_INFINITY : span(String(period.start))[0];
  const until = period.end === undefined ? Number.POSITIVE_INFINITY : span(String(period.end))[1];
  return dates[0] < until && dates[1] > from;
}

function dataMatches(
  one: Json,
  permits: boolean,
  record: OracleRecord,
  institution: string,
  node: OracleNode,
): boolean {
  const wanted = nameOf(refOf(one.reference), institution, node) ?? '';
  if (one.meaning === 'instance') {
    const { own, inside } = namesOf(record);
    return own.includes(wanted) || (!permits && inside.includes(wanted));
  }
  const { names, open } = authorsOf(record, node);
  return names.includes(wanted) || (!permits && open);
}

function holds(period: Json, instant: number): boolean {
  const begun = period.start === undefined || span(String(period.start))[0] <= instant;
  return begun && (period.end === undefined || instant < span(String(period.end))[1]);
}

function lineOf(purpose: string): readonly string[] {
  const parent = PARENTS[purpose];
  return parent === undefined ? [purpose] : [purpose, ...lineOf(parent)];
}

function purposesOf(provision: Json): readonly string[] {
  return (list(provision.purpose) as Code[]).map(({ code }) => code);
}

function codeOf(concept: unknown): string | undefined {
  return (list((concept as Json | undefined)?.coding) as Code[])[0]?.code;
}

function refOf(reference: unknown): string {
  return String((reference as Json | undefined)?.reference ?? '');
}
