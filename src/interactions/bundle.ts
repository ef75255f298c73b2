import { MAX_PAGE_BYTES } from '../consent/guarded-reader.ts';
import { MedSealError } from '../errors.ts';
import type { RequestContext } from '../request-context.ts';
import { checkBundle, invalidBundle, parseEntry, type Step } from './bundle-steps.ts';
import { bundleText, type TextEntry } from './bundle-text.ts';
import { parseHttpDate, parseVersionTags } from './conditions.ts';
import { history, parseHistory } from './history.ts';
import { operationOutcome } from './operation-outcome.ts';
import { queryPairs } from './query-text.ts';
import { read, readVersion } from './read.ts';
import type { InteractionResult } from './result.ts';
import { search } from './search/search.ts';
import type { Services } from './services.ts';
import { type EntryOutcome, executeWrite } from './write/execute.ts';
import type { IdempotentRequest } from './write/replay.ts';
import { ACCEPTED_OUTCOME, type ReturnPreference } from './write/single.ts';

export interface BundleRequest {
  /** Parsed JSON, not validated yet. */
  readonly bundle: unknown;
  readonly prefer: ReturnPreference;
  readonly handling: 'strict' | 'lenient';
  readonly idempotent: IdempotentRequest | undefined;
}

/** Writing entries of a batch at work at once. */
const BATCH_CONCURRENCY = 8;

/** http://hl7.org/fhir/R4/http.html#transaction: all entries or none, or (batch) each for itself. */
export async function bundle(
  services: Services,
  context: RequestContext,
  request: BundleRequest,
): Promise<InteractionResult> {
  const { type, entry } = checkBundle(request.bundle);
  const steps = entry.map((one, index) => parseEntry(one, index, services, context));
  const result =
    type === 'transaction'
      ? await transaction(services, context, request, steps)
      : await batch(services, context, request, steps);
  return result;
}

/** Entries are answered in their order; writes are done first, then reads see them. */
async function transaction(
  services: Services,
  context: RequestContext,
  request: BundleRequest,
  steps: readonly Step[],
): Promise<InteractionResult> {
  const broken = steps.find((step) => step.kind === 'invalid');
  if (broken !== undefined) throw broken.error;
  refuseDuplicateUrls(steps);
  const writes = steps.flatMap((step) => (step.kind === 'write' ? [step.entry] : []));
  // What was written stays written: a read that fails says so in its own entry.
  const readAll = async (): Promise<readonly (TextEntry | undefined)[]> => {
    const entries: (TextEntry | undefined)[] = [];
    const answer = newAnswer();
    for (const step of steps) {
      entries.push(step.kind === 'read' ? await readOrFail(services, context, request, step, answer) : undefined);
    }
    return entries;
  };
  const assemble = (written: readonly TextEntry[], reads: readonly (TextEntry | undefined)[]): string => {
    let next = 0;
    const entry = steps.map((_, index) => reads[index] ?? (written[next++] as TextEntry));
    return bundleText({ type: 'transaction-response', entry });
  };
  if (writes.length === 0) return { status: 200, body: assemble([], await readAll()) };
  const reading = steps.some((step) => step.kind === 'read');
  const result = await executeWrite(services, context, writes, {
    respond: ({ entries, receipt }) => {
      const headers = receipt === undefined ? {} : { 'MedSeal-Receipt': receipt };
      const written = entries.map((outcome) => writtenEntry(outcome, request.prefer));
      return { status: 200, headers, body: reading ? JSON.stringify(written.map(asStored)) : assemble(written, []) };
    },
    idempotent: request.idempotent,
    isWhole: !reading,
  });
  if (!reading) return result;
  const written = JSON.parse(String(result.body)) as readonly TextEntry[];
  return { ...result, body: assemble(written, await readAll()) };
}

/** A fullUrl names one entry (http://hl7.org/fhir/R4/bundle.html#bundle-unique). */
function refuseDuplicateUrls(steps: readonly Step[]): void {
  const seen = new Set<string>();
  for (const step of steps) {
    if (step.kind !== 'write' || step.entry.fullUrl === undefined) continue;
    const { fullUrl, expression } = step.entry;
    if (seen.has(fullUrl)) throw invalidBundle('Two entries have the same fullUrl', `${expression}.fullUrl`);
    seen.add(fullUrl);
  }
}

async function batch(
  services: Services,
  context: RequestContext,
  request: BundleRequest,
  steps: readonly Step[],
): Promise<InteractionResult> {
  const entry = new Array<TextEntry>(steps.length);
  const answer = newAnswer();
  const work = async (all: Iterator<number>): Promise<void> => {
    for (let index = all.next().value; index !== undefined; index = all.next().value) {
      entry[index] = await batchEntry(services, context, request, steps[index] as Step, index, answer);
    }
  };
  // Reads go one after the other, so that what they fill the memory with is known before the next.
  const [reads, others] = [true, false].map((read) =>
    steps.keys().filter((at) => (steps[at]?.kind === 'read') === read),
  );
  await Promise.all([
    work(reads as Iterator<number>),
    ...Array.from({ length: BATCH_CONCURRENCY }, () => work(others as Iterator<number>)),
  ]);
  return { status: 200, body: bundleText({ type: 'batch-response', entry }) };
}

async function batchEntry(
  services: Services,
  context: RequestContext,
  request: BundleRequest,
  step: Step,
  index: number,
  answer: Answer,
): Promise<TextEntry> {
  if (step.kind === 'read') return readOrFail(services, context, request, step, answer);
  try {
    if (step.kind === 'invalid') throw step.error;
    const { idempotent } = request;
    const own = idempotent && { key: `${idempotent.key}\0${index}`, fingerprint: idempotent.fingerprint };
    const { body = '{}' } = await executeWrite(services, context, [step.entry], {
      respond: ({ entries }) => ({
        status: 200,
        body: JSON.stringify(asStored(writtenEntry(entries[0] as EntryOutcome, request.prefer))),
      }),
      idempotent: own,
      isWhole: false,
    });
    return JSON.parse(body.toString()) as TextEntry;
  } catch (error) {
    return failedEntry(error);
  }
}

/** What is answered at once lies in memory at once. */
interface Answer {
  /** Bytes of content that still fit. */
  room: number;
}

const MAX_ANSWER_BYTES = 2 * MAX_PAGE_BYTES;

function newAnswer(): Answer {
  return { room: MAX_ANSWER_BYTES };
}

async function readOrFail(
  services: Services,
  context: RequestContext,
  request: BundleRequest,
  step: Extract<Step, { kind: 'read' }>,
  answer: Answer,
): Promise<TextEntry> {
  try {
    if (answer.room < 0) throw new MedSealError('too-costly', 'The entries before this one fill the answer');
    const entry = await readEntry(services, context, request, step);
    answer.room -= entry.resource?.length ?? 0;
    return entry;
  } catch (error) {
    return failedEntry(error);
  }
}

/** An answer that is kept for a repetition is kept as JSON. */
function asStored(entry: TextEntry): TextEntry {
  return entry.resource === undefined ? entry : { ...entry, resource: entry.resource.toString() };
}

function failedEntry(error: unknown): TextEntry {
  if (!(error instanceof MedSealError)) throw error;
  return { members: { response: { status: String(error.status), outcome: operationOutcome(error) } } };
}

function writtenEntry(outcome: EntryOutcome, prefer: ReturnPreference): TextEntry {
  if (outcome.kind === 'absent') return { members: { response: { status: '204' } } };
  if (outcome.kind === 'existing') {
    const { type, id, version } = outcome;
    return {
      members: { response: { status: '200', location: `${type}/${id}/_history/${version}`, etag: `W/"${version}"` } },
    };
  }
  const { draft, change, leafHash } = outcome.written;
  const deleted = change.interaction === 'delete';
  const created = !deleted && (change.state === undefined || change.state.deleted);
  const response = {
    status: deleted ? '204' : created ? '201' : '200',
    ...(deleted ? {} : { location: `${draft.type}/${draft.id}/_history/${draft.version}` }),
    etag: `W/"${draft.version}"`,
    lastModified: draft.at,
    ...(prefer === 'OperationOutcome' ? { outcome: ACCEPTED_OUTCOME } : {}),
    extension: [{ url: LEAF_EXTENSION, valueBase64Binary: leafHash.toString('base64') }],
  };
  const shown = prefer === 'representation' && draft.content !== undefined;
  return { ...(shown ? { resource: draft.content } : {}), members: { response } };
}

/** Which leaf of the log of records the response's MedSeal-Receipt promises for this entry. */
const LEAF_EXTENSION = 'https://medseal.org/fhir/StructureDefinition/leaf-hash';

async function readEntry(
  services: Services,
  context: RequestContext,
  request: BundleRequest,
  step: Extract<Step, { kind: 'read' }>,
): Promise<TextEntry> {
  const { type, rest, query } = step.url;
  const result = await readAt(services, context, request, step.entry, type, rest, query);
  const response = {
    status: String(result.status),
    ...(result.version === undefined ? {} : { etag: `W/"${result.version}"` }),
    ...(result.lastModified === undefined ? {} : { lastModified: result.lastModified }),
  };
  return { ...(result.body === undefined ? {} : { resource: result.body }), members: { response } };
}

function readAt(
  services: Services,
  context: RequestContext,
  { handling }: BundleRequest,
  { request }: Extract<Step, { kind: 'read' }>['entry'],
  type: string,
  rest: readonly string[],
  query: string | undefined,
): Promise<InteractionResult> {
  const pairs = queryPairs(query ?? '');
  const [first, second, third] = rest;
  const { ifNoneMatch, ifModifiedSince } = request;
  const conditions = {
    noneMatch: ifNoneMatch === undefined ? [] : parseVersionTags(ifNoneMatch, 'request.ifNoneMatch'),
    modifiedSince: ifModifiedSince === undefined ? undefined : parseHttpDate(ifModifiedSince),
  };
  const historyOf = (id: string | undefined) =>
    history(services, context, { type, id, ...parseHistory(pairs, handling) });
  if (first === undefined) return search(services, context, { type, pairs, handling, posted: false });
  if (first === '_history' && rest.length === 1) return historyOf(undefined);
  if (rest.length === 1) return read(services, context, type, first, conditions);
  if (second === '_history' && rest.length === 2) return historyOf(first);
  if (second === '_history' && rest.length === 3)
    return readVersion(services, context, type, first, third ?? '', conditions);
  throw new MedSealError('not-supported', 'This is not an interaction that a Bundle entry can have here');
}
