import { randomUUID } from 'node:crypto';
import type { Communication, Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { OpenedEmergency } from '../consent/emergencies.ts';
import { notFound } from '../consent/guarded-reader.ts';
import { MedSealError } from '../errors.ts';
import { isId } from '../fhir/references/reference.ts';
import type { RequestContext, Scope } from '../request-context.ts';
import { createJournal } from '../request-context.ts';
import type { InteractionResult } from './result.ts';
import { institutionOf } from './search/base.ts';
import type { Services } from './services.ts';

type GlassServices = Pick<Services, 'emergencies' | 'writer' | 'own' | 'institutions' | 'names' | 'publicUrl'>;

const MOST_MINUTES = 240;
const SHORTEST_REASON = 10;
const LONGEST_REASON = 1000;

/**
 * `POST Patient/[id]/$break-glass` with Parameters {reason, minutes}: a token for this patient's record, for emergency
 * treatment. It is in the access trail, the patient is told, and an administrator reviews it. Whether there is such a
 * patient the answer does not tell.
 */
export async function breakGlass(
  services: GlassServices,
  context: RequestContext,
  type: string,
  id: string,
  body: unknown,
): Promise<InteractionResult> {
  if (type !== 'Patient') throw new MedSealError('not-supported', 'There is no such operation on this type');
  const base = institutionOf(services, context);
  if (!isId(id)) throw notFound();
  const { reason, minutes } = readParameters(body);
  const institution = base.name;
  const opened = await services.emergencies.open(context, { institution, type, id }, reason, minutes);
  const patient = services.names.name(institution, type, id);
  context.journal.remark = reason;
  context.journal.add({ institution: base.id, name: patient, leafHash: Buffer.alloc(0), patients: [patient] });
  const [state] = (await services.own.states(base, [services.names.idToken(patient)])).values();
  if (state !== undefined && !state.deleted) await tell(services, context, institution, id, reason, opened);
  const answer = {
    access_token: opened.token,
    token_type: 'Bearer',
    expires_in: minutes * 60,
    scope: opened.scope,
    patient: id,
  };
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };
  return { status: 200, body: JSON.stringify(answer), headers };
}

function readParameters(body: unknown): { readonly reason: string; readonly minutes: number } {
  const { resourceType, parameter = [] } = (body ?? {}) as Partial<Parameters>;
  if (resourceType !== 'Parameters' || !Array.isArray(parameter)) throw invalid('Parameters', 'are needed');
  // Not validated: anything may stand there.
  const find = (name: string) => parameter.find((one: ParametersParameter | null) => one?.name === name);
  const text: unknown = find('reason')?.valueString;
  const reason = typeof text === 'string' ? text.trim() : '';
  const minutes = find('minutes')?.valueInteger ?? find('minutes')?.valuePositiveInt;
  if (reason.length < SHORTEST_REASON || reason.length > LONGEST_REASON) {
    throw invalid('reason', `must say why, in ${SHORTEST_REASON} to ${LONGEST_REASON} characters`);
  }
  if (minutes === undefined || !Number.isInteger(minutes) || minutes < 1 || minutes > MOST_MINUTES) {
    throw invalid('minutes', `must be 1 to ${MOST_MINUTES}`);
  }
  return { reason, minutes };
}

function invalid(name: string, why: string): MedSealError {
  return new MedSealError('invalid-parameter', `${name} ${why}`, { expression: name });
}

const NOTIFY: Scope = { context: 'system', type: 'Communication', actions: new Set(['c']), restriction: [] };

/** A notice in the patient's own record, from the institution that keeps it. */
async function tell(
  { writer, publicUrl }: GlassServices,
  context: RequestContext,
  institution: string,
  patient: string,
  reason: string,
  { practitioner, until }: OpenedEmergency,
): Promise<void> {
  const id = randomUUID();
  const subject = { reference: `Patient/${patient}` };
  const sent = new Date(context.instant).toISOString();
  const resource: Communication = {
    resourceType: 'Communication',
    id,
    status: 'completed',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/communication-category', code: 'notification' }] },
    ],
    priority: 'urgent',
    subject,
    topic: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG' }] },
    sent,
    recipient: [subject],
    sender: { reference: practitioner.replace(/^([^/]+)\//, `${publicUrl}/$1/fhir/`) },
    payload: [
      { contentString: `Your record was opened in an emergency, until ${until}. It will be reviewed.` },
      { contentString: `The reason given: ${reason}` },
    ],
  };
  await writer.write(
    {
      ...context,
      principal: { clientId: 'medseal', institution, scopes: [NOTIFY], purposes: [], administrator: false },
      journal: createJournal(),
    },
    [{ interaction: 'create', type: 'Communication', id, resource, state: undefined }],
  );
}
