import { randomUUID } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../../errors.ts';
import { isResourceType } from '../../fhir/definitions/definitions.ts';
import type { RequestContext } from '../../request-context.ts';
import type { SearchPairs } from '../query-text.ts';
import { read } from '../read.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import type { Patch, VersionMatch, WriteEntry } from './entry.ts';
import { type EntryOutcome, executeWrite, type Outcome } from './execute.ts';
import type { IdempotentRequest } from './replay.ts';

/** What a client prefers to get back (http://hl7.org/fhir/R4/http.html#ops). */
export type ReturnPreference = 'minimal' | 'representation' | 'OperationOutcome';

export interface SingleWrite {
  readonly method: WriteEntry['method'];
  readonly type: string;
  readonly id?: string | undefined;
  readonly conditional?: SearchPairs | undefined;
  readonly ifNoneExist?: SearchPairs | undefined;
  readonly ifMatch?: VersionMatch | undefined;
  readonly onlyCreate?: boolean;
  /** Parsed JSON, not validated yet. */
  readonly resource?: unknown;
  readonly patch?: Patch;
  readonly prefer: ReturnPreference;
  readonly idempotent: IdempotentRequest | undefined;
}

/**
 * http://hl7.org/fhir/R4/http.html#create, #update (also as create and conditional), #patch and #delete.
 */
export async function writeOne(
  services: Services,
  context: RequestContext,
  write: SingleWrite,
): Promise<InteractionResult> {
  const { type } = write;
  if (!isResourceType(type)) throw new MedSealError('not-supported', 'There is no such resource type');
  const entry: WriteEntry = {
    method: write.method,
    type,
    id: write.id,
    conditional: write.conditional,
    ifNoneExist: write.ifNoneExist,
    ifMatch: write.ifMatch,
    onlyCreate: write.onlyCreate ?? false,
    resource: write.resource as Resource | undefined,
    patch: write.patch,
    newId: randomUUID(),
    fullUrl: undefined,
    expression: '',
  };
  const result = await executeWrite(services, context, [entry], {
    respond: (outcome) => respond(outcome, write),
    idempotent: write.idempotent,
    isWhole: true,
  });
  return result.status === STATUS_EXISTING && write.prefer === 'representation'
    ? withRepresentation(services, context, result)
    : result;
}

const STATUS_EXISTING = 200;

function respond({ entries, receipt }: Outcome, { prefer }: SingleWrite): InteractionResult {
  const [outcome] = entries as readonly [EntryOutcome];
  const headers = receipt === undefined ? {} : { 'MedSeal-Receipt': receipt };
  if (outcome.kind === 'absent')
    return prefer === 'OperationOutcome' ? { status: 200, body: DELETED } : { status: 204 };
  if (outcome.kind === 'existing') {
    const { type, id, version } = outcome;
    const told = prefer === 'OperationOutcome' ? { body: UNCHANGED } : {};
    return { status: STATUS_EXISTING, version, location: `${type}/${id}/_history/${version}`, ...told };
  }
  const { draft, change } = outcome.written;
  const header = {
    version: draft.version,
    lastModified: draft.at,
    location: `${draft.type}/${draft.id}/_history/${draft.version}`,
    headers,
  };
  if (change.interaction === 'delete') {
    const told = prefer === 'OperationOutcome' ? { status: 200, body: DELETED } : { status: 204 };
    return { ...told, version: draft.version, headers };
  }
  const status = change.state === undefined || change.state.deleted ? 201 : 200;
  if (prefer === 'minimal') return { status, ...header };
  const body = prefer === 'representation' ? draft.content : ACCEPTED;
  return { status, ...header, ...(body === undefined ? {} : { body }) };
}

/** For who prefers to be told (http://hl7.org/fhir/R4/http.html#ops). */
export const ACCEPTED_OUTCOME = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', diagnostics: 'Accepted, sealed, and to be anchored' }],
} as const;
const ACCEPTED = JSON.stringify(ACCEPTED_OUTCOME);
const UNCHANGED = JSON.stringify({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', diagnostics: 'There already; nothing was written' }],
});
const DELETED = JSON.stringify({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', diagnostics: 'The resource is deleted' }],
});

/** What is there already is shown only as far as the caller may read it. */
async function withRepresentation(
  services: Services,
  context: RequestContext,
  result: InteractionResult,
): Promise<InteractionResult> {
  const [type = '', id = ''] = (result.location ?? '').split('/');
  if (result.body !== undefined || id === '') return result;
  try {
    const { body } = await read(services, context, type, id, { noneMatch: [], modifiedSince: undefined });
    return body === undefined ? result : { ...result, body };
  } catch (error) {
    if (error instanceof MedSealError && error.status < 500) return result;
    throw error;
  }
}
