import type { CodeableConcept, Consent, ConsentProvision, Coding as FhirCoding, Period } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import { calendarDays, instantRange } from './periods.ts';
import {
  ALWAYS,
  type Coding,
  type ConsentAction,
  type ConsentPolicy,
  type DataReference,
  type Effect,
  type Interval,
  isSpecific,
  type Provision,
  type RecordClass,
} from './policy.ts';
import { isPurpose, PURPOSE_SYSTEM } from './purposes.ts';

/**
 * Turns an R4 Consent into a policy (DESIGN §7, http://hl7.org/fhir/R4/consent.html). One that cannot be enforced in
 * full is refused by the element that stands in the way; nothing is silently left out of it.
 */
export interface ConsentNames {
  /** This Consent's own name, `{institution}/Consent/{id}`. */
  readonly self: string;
  readonly version: number;
  /** Turns a literal reference into `{institution}/{Type}/{id}`; undefined when it names nothing on this node. */
  resolve(reference: string): string | undefined;
  isResourceType(code: string): boolean;
}

const ENFORCED_SCOPES: ReadonlySet<string> = new Set(['patient-privacy', 'research']);
const CLASS_TYPE_SYSTEM = 'http://hl7.org/fhir/resource-types';
const ROLE_SYSTEMS: ReadonlySet<string> = new Set([
  'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  'http://hl7.org/fhir/v3/ParticipationType',
]);
const RECIPIENT_ROLES: ReadonlySet<string> = new Set(['IRCP', 'PRCP']);
const ACTIONS: Readonly<Record<string, ConsentAction>> = {
  access: 'read',
  use: 'read',
  disclose: 'disclose',
  correct: 'write',
  count: 'count',
};
const ACTOR_TYPES: ReadonlySet<string> = new Set([
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Group',
  'Device',
  'Patient',
  'RelatedPerson',
  'CareTeam',
]);

/** @throws MedSealError `unenforceable-consent` that names the element */
export function parseConsent(consent: Consent, names: ConsentNames): ConsentPolicy {
  const inForce = consent.status === 'active' && hasEnforcedScope(consent);
  const patient = consent.patient?.reference === undefined ? undefined : names.resolve(consent.patient.reference);
  const header = { consent: names.self, version: names.version, patient: patient ?? '' };
  if (!inForce) return { ...header, inForce, base: undefined, period: ALWAYS, provisions: [] };
  if (patient === undefined || !isPatientOfSameBase(patient, names.self)) {
    throw refuse('Consent.patient', 'must be a literal reference to a Patient of this base');
  }
  refuseModifiers(consent, 'Consent');
  const declared = policyRuleEffect(consent.policyRule);
  const root = consent.provision;
  const base = baseEffect(declared, root);
  const parsed = root === undefined ? undefined : parseProvision(root, '0', 'Consent.provision', base, names);
  const provisions = parsed === undefined ? [] : isSpecific(parsed) ? [parsed] : parsed.nested;
  return { ...header, inForce, base, period: parsed?.period ?? ALWAYS, provisions };
}

function hasEnforcedScope(consent: Consent): boolean {
  return (consent.scope?.coding ?? []).some((coding) => ENFORCED_SCOPES.has(coding.code ?? ''));
}

function isPatientOfSameBase(patient: string, consent: string): boolean {
  const [institution, type] = patient.split('/');
  return type === 'Patient' && institution === consent.split('/')[0];
}

function policyRuleEffect(rule: CodeableConcept | undefined): Effect | undefined {
  if (rule === undefined) return undefined;
  const codes = (rule.coding ?? []).map((coding) => coding.code);
  if (codes.includes('OPTIN') && !codes.includes('OPTOUT')) return 'permit';
  if (codes.includes('OPTOUT') && !codes.includes('OPTIN')) return 'deny';
  throw refuse('Consent.policyRule', 'can be enforced only when it is OPTIN or OPTOUT');
}

/** The base comes from policyRule; a root without attributes gives it otherwise, and must agree when both speak. */
function baseEffect(declared: Effect | undefined, root: ConsentProvision | undefined): Effect | undefined {
  const typed = root?.type;
  if (declared === undefined && typed === undefined) {
    throw refuse('Consent.provision.type', 'is needed where policyRule is neither OPTIN nor OPTOUT');
  }
  const bare = root === undefined || !hasAttributes(root);
  if (!bare) return declared;
  if (declared !== undefined && typed !== undefined && typed !== declared) {
    throw refuse('Consent.provision.type', 'contradicts policyRule, and nothing limits the provision');
  }
  return declared ?? typed;
}

function hasAttributes(provision: ConsentProvision): boolean {
  const { actor, action, securityLabel, purpose, class: classes, code, dataPeriod, data } = provision;
  return [actor, action, securityLabel, purpose, classes, code, dataPeriod, data].some((one) => one !== undefined);
}

function parseProvision(
  provision: ConsentProvision,
  path: string,
  expression: string,
  base: Effect | undefined,
  names: ConsentNames,
): Provision {
  refuseModifiers(provision, expression);
  const effect = provision.type ?? rootDefault(path, base);
  if (effect === undefined) throw refuse(`${expression}.type`, 'is required of a nested provision');
  return {
    path,
    effect,
    period: parsePeriod(provision.period, `${expression}.period`),
    actors: provision.actor?.map((actor, index) => parseActor(actor, `${expression}.actor[${index}]`, names)),
    actions: flatMapConcepts(provision.action, `${expression}.action`, parseAction),
    purposes: provision.purpose?.map((purpose, index) => parsePurpose(purpose, `${expression}.purpose[${index}]`)),
    labels: provision.securityLabel?.map((label, index) => parseCoding(label, `${expression}.securityLabel[${index}]`)),
    classes: provision.class?.map((one, index) => parseClass(one, `${expression}.class[${index}]`, names)),
    codes: flatMapConcepts(provision.code, `${expression}.code`, parseCoding),
    dataPeriod:
      provision.dataPeriod === undefined ? undefined : parseDays(provision.dataPeriod, `${expression}.dataPeriod`),
    data: provision.data?.map((one, index) => {
      refuseModifiers(one, `${expression}.data[${index}]`);
      return parseData(one, `${expression}.data[${index}]`, names);
    }),
    nested: (provision.provision ?? []).map((nested, index) =>
      parseProvision(nested, `${path}.${index}`, `${expression}.provision[${index}]`, undefined, names),
    ),
  };
}

/** A root without a type is the exception to its base. */
function rootDefault(path: string, base: Effect | undefined): Effect | undefined {
  if (path !== '0' || base === undefined) return undefined;
  return base === 'permit' ? 'deny' : 'permit';
}

function parsePeriod(period: Period | undefined, expression: string): Interval {
  if (period === undefined) return ALWAYS;
  const from = period.start === undefined ? ALWAYS.from : instantRange(period.start)?.from;
  const until = period.end === undefined ? ALWAYS.until : instantRange(period.end)?.until;
  if (from === undefined || until === undefined) throw refuse(expression, 'has a bound that is not a dateTime');
  return { from, until };
}

function parseDays(period: Period, expression: string): Interval {
  const from = period.start === undefined ? ALWAYS.from : calendarDays(period.start)?.from;
  const until = period.end === undefined ? ALWAYS.until : calendarDays(period.end)?.until;
  if (from === undefined || until === undefined) {
    throw refuse(expression, 'is enforced by calendar days: give dates (YYYY, YYYY-MM or YYYY-MM-DD), not times');
  }
  return { from, until };
}

function parseActor(
  actor: NonNullable<ConsentProvision['actor']>[number],
  expression: string,
  names: ConsentNames,
): string {
  refuseModifiers(actor, expression);
  const roles = actor.role?.coding ?? [];
  const recipient = roles.some((role) => ROLE_SYSTEMS.has(role.system ?? '') && RECIPIENT_ROLES.has(role.code ?? ''));
  if (!recipient) throw refuse(`${expression}.role`, 'is enforced only for recipients (IRCP, PRCP)');
  const name = actor.reference?.reference === undefined ? undefined : names.resolve(actor.reference.reference);
  if (name === undefined || !ACTOR_TYPES.has(name.split('/')[1] ?? '')) {
    throw refuse(`${expression}.reference`, 'must be a literal reference to who may receive');
  }
  return name;
}

function parseAction(coding: FhirCoding, expression: string): ConsentAction {
  const action = ACTIONS[coding.code ?? ''];
  if (action === undefined) throw refuse(expression, 'is not an action that the server can enforce');
  return action;
}

function parsePurpose(coding: FhirCoding, expression: string): string {
  const known = coding.system === undefined || coding.system === PURPOSE_SYSTEM;
  if (!known || coding.code === undefined || !isPurpose(coding.code)) {
    throw refuse(expression, 'is not a code of v3-PurposeOfUse');
  }
  return coding.code;
}

function parseCoding(coding: FhirCoding, expression: string): Coding {
  if (coding.code === undefined) throw refuse(expression, 'needs a code');
  return { system: coding.system, code: coding.code };
}

function parseClass(coding: FhirCoding, expression: string, names: ConsentNames): RecordClass {
  const { code, system } = coding;
  if (code !== undefined && system === CLASS_TYPE_SYSTEM && names.isResourceType(code))
    return { kind: 'type', type: code };
  if (code !== undefined && /^https?:\/\//.test(code)) return { kind: 'profile', url: code };
  throw refuse(expression, 'must be a resource type or the URL of a profile');
}

function parseData(
  data: NonNullable<ConsentProvision['data']>[number],
  expression: string,
  names: ConsentNames,
): DataReference {
  const resource = data.reference?.reference === undefined ? undefined : names.resolve(data.reference.reference);
  if (resource === undefined) throw refuse(`${expression}.reference`, 'must be a literal reference');
  if (data.meaning === 'instance' || data.meaning === 'authoredby') return { meaning: data.meaning, resource };
  throw refuse(`${expression}.meaning`, 'is enforced only for instance and authoredby');
}

function flatMapConcepts<T>(
  concepts: readonly CodeableConcept[] | undefined,
  expression: string,
  parse: (coding: FhirCoding, expression: string) => T,
): readonly T[] | undefined {
  return concepts?.flatMap((concept, index) => {
    const codings = concept.coding ?? [];
    if (codings.length === 0) throw refuse(`${expression}[${index}]`, 'needs a coding');
    return codings.map((coding, at) => parse(coding, `${expression}[${index}].coding[${at}]`));
  });
}

function refuseModifiers(element: object, expression: string): void {
  if ('modifierExtension' in element)
    throw refuse(`${expression}.modifierExtension`, 'changes the meaning in a way that cannot be enforced');
}

function refuse(expression: string, why: string): MedSealError {
  return new MedSealError('unenforceable-consent', `${expression} ${why}`, { expression });
}
