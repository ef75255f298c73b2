import type { CodeableConcept, Consent, ConsentProvision } from '@medplum/fhirtypes';
import { type AttributeNames, hasAttributes, parseAttributes } from './parse-attributes.ts';
import { parsePeriod } from './periods.ts';
import { ALWAYS, type ConsentPolicy, type Effect, isSpecific, type Provision } from './policy.ts';
import { refuse } from './refusal.ts';

/**
 * Turns an R4 Consent into a policy (DESIGN §7, http://hl7.org/fhir/R4/consent.html). One that cannot be enforced in
 * full is refused by the element that stands in the way; nothing is silently left out of it.
 */
export interface ConsentNames extends AttributeNames {
  /** This Consent's own name, `{institution}/Consent/{id}`. */
  readonly self: string;
  readonly version: number;
}

const SCOPE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/consentscope';
/** Whether a scope is about who may see records; a consent to treatment or an advance directive is about other things. */
const SCOPES: ReadonlyMap<string, boolean> = new Map([
  ['patient-privacy', true],
  ['research', true],
  ['treatment', false],
  ['adr', false],
]);
const ACT_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const BASES: ReadonlyMap<string, Effect> = new Map([
  ['OPTIN', 'permit'],
  ['OPTOUT', 'deny'],
]);

/** @throws MedSealError `unenforceable-consent` that names the element */
export function parseConsent(consent: Consent, names: ConsentNames): ConsentPolicy {
  const inForce = consent.status === 'active' && isAboutRecords(consent.scope);
  const header = { consent: names.self, version: names.version, patient: patientOf(consent, names), inForce };
  if (!inForce) return { ...header, base: undefined, period: ALWAYS, provisions: [] };
  if (header.patient === undefined) {
    throw refuse('Consent.patient', 'must be a literal reference to a Patient of this base');
  }
  refuseModifiers(consent, 'Consent');
  if (consent.implicitRules !== undefined) throw refuse('Consent.implicitRules', 'cannot be enforced');
  const declared = policyRuleEffect(consent.policyRule);
  const root = consent.provision;
  const base = baseEffect(declared, root);
  const parsed = root === undefined ? undefined : parseProvision(root, '0', 'Consent.provision', base, names);
  const provisions = parsed === undefined ? [] : isSpecific(parsed) ? [parsed] : parsed.nested;
  return { ...header, base, period: parsed?.period ?? ALWAYS, provisions };
}

function isAboutRecords(scope: CodeableConcept | undefined): boolean {
  const kinds = new Set(
    (scope?.coding ?? []).map(({ system, code }) => (system === SCOPE_SYSTEM ? SCOPES.get(code ?? '') : undefined)),
  );
  const [kind] = kinds;
  if (kinds.size !== 1 || kind === undefined)
    throw refuse('Consent.scope', 'must be one code of consentscope, which tells whether it is about records');
  return kind;
}

/** Only a Patient of the Consent's own base: another institution's patients consent there. */
function patientOf({ patient }: Consent, names: ConsentNames): string | undefined {
  const name = patient?.reference === undefined ? undefined : names.resolve(patient.reference);
  const [institution, type] = name?.split('/') ?? [];
  return type === 'Patient' && institution === names.self.split('/')[0] ? name : undefined;
}

function policyRuleEffect(rule: CodeableConcept | undefined): Effect | undefined {
  if (rule === undefined) return undefined;
  const effects = new Set(
    (rule.coding ?? []).map(({ system, code }) => (system === ACT_SYSTEM ? BASES.get(code ?? '') : undefined)),
  );
  const [effect] = effects;
  if (effects.size !== 1 || effect === undefined) {
    throw refuse('Consent.policyRule', 'can be enforced only when it is OPTIN or OPTOUT of v3-ActCode');
  }
  return effect;
}

/** The base comes from policyRule; a root without attributes gives it otherwise, and must agree when both speak. */
function baseEffect(declared: Effect | undefined, root: ConsentProvision | undefined): Effect | undefined {
  const typed = root?.type;
  if (declared === undefined && typed === undefined) {
    throw refuse('Consent.provision.type', 'is needed where policyRule is neither OPTIN nor OPTOUT');
  }
  if (root !== undefined && hasAttributes(root)) return declared;
  if (declared !== undefined && typed !== undefined && typed !== declared) {
    throw refuse('Consent.provision.type', 'contradicts policyRule, and nothing limits the provision');
  }
  return declared ?? typed;
}

function parseProvision(
  provision: ConsentProvision,
  path: string,
  expression: string,
  base: Effect | undefined,
  names: ConsentNames,
  above = false,
): Provision {
  const { period } = provision;
  const attributes = parseAttributes(provision, expression, names, above);
  const represents = above || attributes.represents;
  return {
    path,
    effect: effectOf(provision, path, expression, base),
    period: period === undefined ? ALWAYS : parsePeriod(period, `${expression}.period`),
    ...attributes,
    nested: (provision.provision ?? []).map((nested, index) =>
      parseProvision(nested, `${path}.${index}`, `${expression}.provision[${index}]`, undefined, names, represents),
    ),
  };
}

/** A root without a type is the exception to its base. */
function effectOf(provision: ConsentProvision, path: string, expression: string, base: Effect | undefined): Effect {
  if (provision.type !== undefined) return provision.type;
  if (path !== '0' || base === undefined) throw refuse(`${expression}.type`, 'is required of a nested provision');
  if ('_type' in provision) throw refuse(`${expression}.type`, 'has no value');
  return base === 'permit' ? 'deny' : 'permit';
}

function refuseModifiers(element: unknown, expression: string): void {
  if (Array.isArray(element)) {
    for (const [index, item] of element.entries()) refuseModifiers(item, `${expression}[${index}]`);
    return;
  }
  if (element === null || typeof element !== 'object') return;
  if ('modifierExtension' in element) {
    throw refuse(`${expression}.modifierExtension`, 'changes the meaning in a way that cannot be enforced');
  }
  for (const [key, child] of Object.entries(element)) refuseModifiers(child, `${expression}.${key}`);
}
