import type { CodeableConcept, ConsentProvision, Coding as FhirCoding } from '@medplum/fhirtypes';
import { PURPOSE_SYSTEM, purposeAndAncestors } from '../fhir/terminology/purpose-of-use.ts';
import { parseDays } from './periods.ts';
import type { Coding, ConsentAction, DataReference, Provision, RecordClass } from './policy.ts';
import { refuse } from './refusal.ts';

/** What a provision is limited to, each attribute by what the server can tell of a request and of a record. */
type Attributes = Omit<Provision, 'path' | 'effect' | 'period' | 'nested'>;

export interface AttributeNames {
  /** Turns a literal reference into `{institution}/{Type}/{id}`; undefined when it names nothing on this node. */
  resolve(reference: string): string | undefined;
  isResourceType(code: string): boolean;
  /** Whether a name is one of the Consent's own base. */
  isOwn(name: string): boolean;
}

/** The attributes by their elements, all but the period, which alone makes no provision specific. */
const ELEMENTS = ['actor', 'action', 'securityLabel', 'purpose', 'class', 'code', 'dataPeriod', 'data'] as const;

const ROLE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const RECIPIENT_ROLES: ReadonlySet<string> = new Set(['IRCP', 'PRCP'].map((code) => `${ROLE_SYSTEM}|${code}`));
/** Who acts for the patient: a guardian until the patient is of age, the others until the consent ends. */
const REPRESENTATIVES: ReadonlyMap<string, 'guardian' | 'proxy'> = new Map([
  ['http://terminology.hl7.org/CodeSystem/v3-RoleClass|GUARD', 'guardian'],
  ['http://terminology.hl7.org/CodeSystem/v3-RoleCode|HPOWATT', 'proxy'],
  ['http://terminology.hl7.org/CodeSystem/v3-RoleCode|RESPRSN', 'proxy'],
  ['http://terminology.hl7.org/CodeSystem/v3-RoleCode|DELEGATEE', 'proxy'],
]);
/** Who can ask, or act as somebody who does (src/consent/acting-as.ts). */
const ACTORS: ReadonlySet<string> = new Set([
  ...['Organization', 'PractitionerRole', 'Practitioner', 'Group', 'Device', 'Patient', 'RelatedPerson'],
]);
const ACTION_SYSTEM = 'http://terminology.hl7.org/CodeSystem/consentaction';
const OWN_ACTION_SYSTEM = 'https://medseal.org/fhir/CodeSystem/consent-action';
/** `collect` is missing: what an institution writes at its own base no consent decides. */
const ACTIONS: ReadonlyMap<string, ConsentAction> = new Map([
  [`${ACTION_SYSTEM}|access`, 'read'],
  [`${ACTION_SYSTEM}|use`, 'read'],
  [`${ACTION_SYSTEM}|disclose`, 'disclose'],
  [`${ACTION_SYSTEM}|correct`, 'write'],
  [`${OWN_ACTION_SYSTEM}|count`, 'count'],
]);
const TYPE_SYSTEM = 'http://hl7.org/fhir/resource-types';
const CORE_DEFINITION = 'http://hl7.org/fhir/StructureDefinition/';

export function hasAttributes(provision: ConsentProvision): boolean {
  return ELEMENTS.some((element) => provision[element] !== undefined);
}

/**
 * @param above whether a provision around it is about representatives
 * @throws MedSealError `unenforceable-consent` that names the element
 */
export function parseAttributes(
  provision: ConsentProvision,
  expression: string,
  names: AttributeNames,
  above: boolean,
): Attributes {
  const { actor, action, securityLabel, purpose, class: classes, code, dataPeriod, data } = provision;
  const at = (element: (typeof ELEMENTS)[number]): string => `${expression}.${element}`;
  const actors = each(actor, at('actor'), (one, where) => parseActor(one, where, names));
  const represents = actors?.some((one) => one.includes(' ')) ?? false;
  if (represents && !actors?.every((one) => one.includes(' '))) {
    throw refuse(at('actor'), 'names both representatives and recipients: give each a provision of their own');
  }
  if (represents && provision.type === 'deny') {
    throw refuse(at('actor'), 'denies something to a representative: as recipient (IRCP) it can be denied');
  }
  return {
    actors,
    represents,
    actions: eachCoding(action, at('action'), (one, where) => parseAction(one, where, above || represents)),
    labels: each(securityLabel, at('securityLabel'), parseCoding),
    purposes: each(purpose, at('purpose'), parsePurpose),
    classes: each(classes, at('class'), (one, where) => parseClass(one, where, names)),
    codes: eachCoding(code, at('code'), parseCoding),
    dataPeriod: dataPeriod === undefined ? undefined : parseDays(dataPeriod, at('dataPeriod')),
    data: each(data, at('data'), (one, where) => parseData(one, where, names)),
  };
}

/** An empty list would match nothing in one lock and everything in the other; JSON in FHIR has none. */
function each<From, To>(
  list: readonly From[] | undefined,
  expression: string,
  parse: (one: From, expression: string) => To,
): readonly To[] | undefined {
  if (list?.length === 0) throw refuse(expression, 'is empty');
  return list?.map((one, index) => parse(one, `${expression}[${index}]`));
}

/** The codings of one concept say the same in several code systems: any of them will do. */
function eachCoding<To>(
  concepts: readonly CodeableConcept[] | undefined,
  expression: string,
  parse: (coding: FhirCoding, expression: string) => To,
): readonly To[] | undefined {
  return each(concepts, expression, ({ coding = [] }, where) => {
    if (coding.length === 0) throw refuse(where, 'needs a coding');
    return coding.map((one, index) => parse(one, `${where}.coding[${index}]`));
  })?.flat();
}

function parseActor(
  { role, reference }: NonNullable<ConsentProvision['actor']>[number],
  expression: string,
  names: AttributeNames,
): string {
  const roles = (role?.coding ?? []).map(({ system, code }) => `${system}|${code}`);
  const kinds = new Set(roles.map((one) => (RECIPIENT_ROLES.has(one) ? 'recipient' : REPRESENTATIVES.get(one))));
  const [kind] = kinds;
  if (kinds.size !== 1 || kind === undefined) {
    throw refuse(`${expression}.role`, 'is enforced only for recipients (IRCP, PRCP) and representatives');
  }
  const name = reference?.reference === undefined ? undefined : names.resolve(reference.reference);
  const type = name?.split('/')[1] ?? '';
  if (name === undefined || !ACTORS.has(type)) {
    throw refuse(
      `${expression}.reference`,
      'must be a literal reference to somebody or something of this node that asks',
    );
  }
  if (kind === 'recipient') return name;
  if (type === 'RelatedPerson' && names.isOwn(name)) return `${kind} ${name}`;
  throw refuse(
    `${expression}.reference`,
    'must be a RelatedPerson of this base: who they are is kept with the patient',
  );
}

/** Only a representative is let write by a consent. */
function parseAction({ system, code }: FhirCoding, expression: string, represents: boolean): ConsentAction {
  const action = ACTIONS.get(`${system}|${code}`);
  if (action === undefined || (action === 'write' && !represents))
    throw refuse(expression, 'is not an action that consents decide here');
  return action;
}

function parsePurpose({ system, code }: FhirCoding, expression: string): string {
  const known = code !== undefined && purposeAndAncestors(code).includes('PurposeOfUse');
  // The element allows for one system only, so a code may go without it.
  if ((system !== undefined && system !== PURPOSE_SYSTEM) || !known)
    throw refuse(expression, 'is not a code of v3-PurposeOfUse');
  return code;
}

function parseCoding({ system, code }: FhirCoding, expression: string): Coding {
  if (system === undefined || code === undefined) throw refuse(expression, 'needs a system and a code');
  return { system, code };
}

function parseClass({ system, code = '' }: FhirCoding, expression: string, names: AttributeNames): RecordClass {
  const type =
    system === TYPE_SYSTEM ? code : code.startsWith(CORE_DEFINITION) ? code.slice(CORE_DEFINITION.length) : '';
  if (names.isResourceType(type)) return { kind: 'type', type };
  if (system !== TYPE_SYSTEM && /^https?:\/\/[^|\s]+$/.test(code)) return { kind: 'profile', url: code };
  throw refuse(expression, 'must be a resource type, or the URL of a profile without a version');
}

function parseData(
  { meaning, reference }: NonNullable<ConsentProvision['data']>[number],
  expression: string,
  names: AttributeNames,
): DataReference {
  if (meaning !== 'instance' && meaning !== 'authoredby') {
    throw refuse(`${expression}.meaning`, 'is enforced only for instance and authoredby');
  }
  const text = reference?.reference ?? '';
  const resource = text.includes('/_history/') ? undefined : names.resolve(text);
  if (resource === undefined) throw refuse(`${expression}.reference`, 'must be a literal reference without a version');
  return { meaning, resource };
}
