import type { Coding, Meta } from '@medplum/fhirtypes';
import { hasScope, notFound, requireScope } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { RESOURCE_TYPES } from '../../fhir/definitions/definitions.ts';
import type { JsonValue } from '../../fhir/json/parse.ts';
import { isId } from '../../fhir/references/reference.ts';
import type { RequestContext } from '../../request-context.ts';
import { typeToken } from '../../sealing/blind-index/resource-tokens.ts';
import type { InteractionResult } from '../result.ts';
import { institutionOf } from '../search/base.ts';
import { MAX_OPENED } from '../search/prepared.ts';
import { everyRow } from '../search/walk.ts';
import type { Services } from '../services.ts';
import { writeOne } from '../write/single.ts';
import { invalid, type OperationRequest, readParameters, requireKnown } from './parameters.ts';

const NOTHING: ReadonlySet<string> = new Set();
const META: ReadonlySet<string> = new Set(['meta']);

/** http://hl7.org/fhir/R4/resource-operation-meta.html of one resource */
export async function instanceMeta(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  requireKnown(readParameters(request), NOTHING);
  if (!isId(request.id)) throw notFound();
  const { resource, row } = await services.reader.read(context, request.type, request.id);
  return { ...answer(resource?.meta ?? {}), version: row.version, lastModified: row.at };
}

/**
 * The profiles, tags and security labels of all that the caller may read, of one type or of every type that the token
 * covers. There is no index of what is there, so records are opened.
 *
 * @throws MedSealError `too-costly` where that is too many
 */
export async function collectedMeta(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  requireKnown(readParameters(request), NOTHING);
  const institution = institutionOf(services, context);
  const types = request.type === '' ? RESOURCE_TYPES.filter((type) => hasScope(context, type, 's')) : [request.type];
  const [only = 'Patient'] = types;
  requireScope(context, only, 's');
  const found = new CollectedMeta();
  const budget = { left: MAX_OPENED };
  const search = services.reader.search(context, only);
  // One statement, however many types there are.
  const criterion = { kind: 'some', tokens: types.map((type) => typeToken(services.tokenizer, type)) } as const;
  const plan = { type: types.length === 1 ? only : undefined, institution: institution.id, criterion };
  for await (const row of everyRow(search, plan, budget)) found.add((await search.open(row))?.resource?.meta);
  return answer(found.meta());
}

class CollectedMeta {
  readonly #profiles = new Set<string>();
  readonly #tags = new Map<string, Coding>();
  readonly #labels = new Map<string, Coding>();

  add(meta: Meta | undefined): void {
    for (const profile of meta?.profile ?? []) this.#profiles.add(profile);
    for (const tag of meta?.tag ?? []) this.#tags.set(codingKey(tag), tag);
    for (const label of meta?.security ?? []) this.#labels.set(codingKey(label), label);
  }

  meta(): Meta {
    return withoutEmpty({
      profile: [...this.#profiles].sort(),
      security: inOrder(this.#labels),
      tag: inOrder(this.#tags),
    });
  }
}

function inOrder(codings: ReadonlyMap<string, Coding>): Coding[] {
  return [...codings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, coding]) => coding);
}

function codingKey({ system, code }: Coding): string {
  return JSON.stringify([system ?? '', code ?? '']);
}

/** R4 has no empty lists. */
function withoutEmpty(meta: Meta): Meta {
  return Object.fromEntries(Object.entries(meta).filter(([, value]) => !Array.isArray(value) || value.length > 0));
}

/** http://hl7.org/fhir/R4/resource-operation-meta-add.html; a new version, as every change is one here. */
export function addMeta(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  return changeMeta(services, context, request, (present, { profile = [], tag = [], security = [] }) => ({
    ...present,
    profile: [...new Set([...(present.profile ?? []), ...profile])],
    security: union(present.security, security),
    tag: union(present.tag, tag),
  }));
}

/** http://hl7.org/fhir/R4/resource-operation-meta-delete.html; what is not there is no error. */
export function deleteMeta(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  return changeMeta(services, context, request, (present, { profile = [], tag = [], security = [] }) => ({
    ...present,
    profile: (present.profile ?? []).filter((one) => !profile.includes(one)),
    security: difference(present.security, security),
    tag: difference(present.tag, tag),
  }));
}

function union(present: readonly Coding[] = [], added: readonly Coding[] = []): Coding[] {
  const known = new Set(present.map(codingKey));
  return [...present, ...added.filter((coding) => !known.has(codingKey(coding)))];
}

function difference(present: readonly Coding[] = [], removed: readonly Coding[] = []): Coding[] {
  const gone = new Set(removed.map(codingKey));
  return present.filter((coding) => !gone.has(codingKey(coding)));
}

async function changeMeta(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
  change: (present: Meta, given: Meta) => Meta,
): Promise<InteractionResult> {
  const parameters = readParameters(request);
  requireKnown(parameters, META);
  const given = parameters.values.get('meta');
  if (typeof given !== 'object' || given === null) throw invalid('A parameter meta with a valueMeta is needed', 'meta');
  const { type, id, ifMatch, idempotent } = request;
  const issues = services.validator
    .validate({ resourceType: type, meta: given })
    .filter(({ expression }) => expression?.startsWith(`${type}.meta`));
  if (issues.length > 0) throw new MedSealError('invalid-parameter', 'The parameter meta is no Meta', { issues });
  const result = await writeOne(services, context, {
    method: 'PATCH',
    type,
    id,
    patch: (content) => withMeta(content, (present) => withoutEmpty(change(present, given))),
    ifMatch,
    prefer: 'representation',
    idempotent,
  });
  const { meta } = JSON.parse(String(result.body ?? '{}')) as { readonly meta?: Meta };
  return { ...result, ...answer(meta ?? {}) };
}

function withMeta(content: JsonValue, change: (present: Meta) => Meta): JsonValue {
  const resource = content as { readonly meta?: Meta };
  return { ...resource, meta: change(resource.meta ?? {}) } as unknown as JsonValue;
}

function answer(meta: Meta): InteractionResult {
  return {
    status: 200,
    body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: meta }] }),
  };
}
