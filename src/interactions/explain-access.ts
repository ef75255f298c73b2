import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { ExplainedRecord, Explanation, Question } from '../consent/explain.ts';
import { notFound } from '../consent/guarded-reader.ts';
import { MedSealError } from '../errors.ts';
import { parseTemporal } from '../fhir/fhirpath/temporal.ts';
import { isId, parseReference } from '../fhir/references/reference.ts';
import { PURPOSES_OF_USE } from '../fhir/terminology/purpose-of-use.ts';
import type { RequestContext } from '../request-context.ts';
import { trailEntry } from './audit-event/search.ts';
import type { InteractionResult } from './result.ts';
import type { Services } from './services.ts';

type ExplainServices = Pick<Services, 'explainer' | 'names' | 'publicUrl' | 'trail' | 'institutions'>;
type Pairs = readonly (readonly [name: string, value: string])[];

const NAMES = ['actor', 'purpose', 'at', 'action', '_format'];
const ACTIONS = ['read', 'disclose', 'count'] as const;

/**
 * `GET [type]/[id]/$explain-access`: who may read this record, or with `actor` whether that one may, for `purpose`, at
 * `at`; the decision, and by which version of which consent, and which provision. On an AuditEvent: the decisions behind
 * what that request showed, decided again on what held then.
 */
export async function explainAccess(
  services: ExplainServices,
  context: RequestContext,
  type: string,
  id: string,
  pairs: Pairs,
): Promise<InteractionResult> {
  if (!isId(id)) throw notFound();
  const given = readParameters(pairs);
  if (type === 'AuditEvent') return replay(services, context, id);
  const question: Question = { type, id, at: given.at, action: given.action };
  if (given.actor === undefined) {
    const found = await services.explainer.whoMayRead(context, question);
    const permitted = found.explanations.filter(({ decision }) => decision.permit);
    return result([recordOf(services, { ...found, explanations: permitted })]);
  }
  if (context.base.kind === 'union') throw notFound();
  const reference = parseReference(given.actor);
  const actor = reference === undefined ? undefined : services.names.nameOf(reference, context.base.institution);
  if (actor === undefined) throw invalid('actor', 'must be a reference to somebody of this node');
  const asker = { actor, purpose: given.purpose };
  return result([recordOf(services, await services.explainer.mayRead(context, question, asker))]);
}

async function replay(services: ExplainServices, context: RequestContext, id: string): Promise<InteractionResult> {
  const entry = await trailEntry(services, context, id);
  if (entry === undefined) throw notFound();
  const { details, at } = entry;
  const found = await services.explainer.replay({
    at: Date.parse(at),
    institution: details.from,
    clientId: details.client,
    user: details.user,
    purposes: details.purposes,
    versions: details.versions.map(([name]) => name),
  });
  return result(found.map((one) => recordOf(services, one)));
}

function readParameters(pairs: Pairs) {
  for (const [name] of pairs) {
    if (!NAMES.includes(name))
      throw new MedSealError('unknown-parameter', `There is no parameter ${name} here`, { expression: name });
  }
  const { actor, purpose, at, action = 'read' } = Object.fromEntries(pairs) as Readonly<Record<string, string>>;
  const instant = at === undefined ? undefined : parseTemporal(at);
  if (at !== undefined && instant === undefined) throw invalid('at', 'must be a date or a time');
  if (purpose !== undefined && !PURPOSES_OF_USE.has(purpose))
    throw invalid('purpose', 'must be a code of v3-PurposeOfUse');
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) throw invalid('action', `must be one of ${ACTIONS.join(', ')}`);
  return { actor, purpose, at: instant?.low, action: known };
}

function invalid(name: string, why: string): MedSealError {
  return new MedSealError('invalid-parameter', `${name} ${why}`, { expression: name });
}

function result(records: readonly ParametersParameter[]): InteractionResult {
  const body: Parameters = { resourceType: 'Parameters', parameter: [...records] };
  return { status: 200, body: JSON.stringify(body) };
}

function recordOf(services: ExplainServices, { version, at, explanations }: ExplainedRecord): ParametersParameter {
  return {
    name: 'record',
    part: [
      { name: 'version', valueReference: { reference: urlOf(services, version) } },
      { name: 'at', valueInstant: new Date(at).toISOString() },
      ...explanations.map((one) => accessOf(services, one)),
    ],
  };
}

function accessOf(services: ExplainServices, { actor, purpose, decision }: Explanation): ParametersParameter {
  const { permit, basis, by } = decision;
  return {
    name: 'access',
    part: [
      ...(actor === undefined ? [] : [{ name: 'actor', valueReference: { reference: urlOf(services, actor) } }]),
      ...(purpose === undefined ? [] : [{ name: 'purpose', valueCode: purpose }]),
      { name: 'permit', valueBoolean: permit },
      { name: 'basis', valueCode: basis },
      ...(by === undefined
        ? []
        : [
            { name: 'consent', valueReference: { reference: urlOf(services, `${by.consent}/_history/${by.version}`) } },
            { name: 'provision', valueString: by.provision === '' ? 'Consent.policyRule' : elementOf(by.provision) },
          ]),
      { name: 'reason', valueString: reasonOf(permit, basis, by?.provision) },
    ],
  };
}

/** `0.1` is the second provision nested in the root. */
function elementOf(path: string): string {
  const [, ...nested] = path.split('.');
  return ['Consent.provision', ...nested.map((index) => `provision[${index}]`)].join('.');
}

function reasonOf(permit: boolean, basis: Explanation['decision']['basis'], provision: string | undefined): string {
  if (basis === 'consent') {
    const what = provision === '' ? 'The base of a consent' : 'A provision of a consent';
    return `${what} ${permit ? 'permits' : 'denies'} it.`;
  }
  const text = REASONS[basis];
  return permit ? text[0] : text[1];
}

const REASONS: Readonly<Record<Exclude<Explanation['decision']['basis'], 'consent'>, readonly [string, string]>> = {
  scope: ['The token covers it.', 'The token does not cover it.'],
  directory: ['It belongs to the public directory.', 'It does not belong to the public directory.'],
  self: ['It is the patient’s own record.', 'It is another patient’s record.'],
  representative: ['A consent lets them act for the patient.', 'No consent lets them act for the patient.'],
  custodian: [
    'The institution that wrote it uses it for treatment.',
    'It belongs to no patient, so it is its custodian’s alone.',
  ],
  emergency: ['The glass was broken for this patient.', 'The glass was not broken for this patient.'],
  compartment: ['It lies in the compartment.', 'It lies outside of the patient’s compartment.'],
  default: ['Nothing denies it.', 'No consent permits it.'],
};

function urlOf({ publicUrl }: ExplainServices, name: string): string {
  return name.replace(/^([^/]+)\//, `${publicUrl}/$1/fhir/`);
}
