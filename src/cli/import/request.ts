import { hash } from 'node:crypto';
import { MedSealError } from '../../errors.ts';
import { type JsonValue, parseJson } from '../../fhir/json/parse.ts';

/** One HTTP request that an item becomes. */
export interface ImportRequest {
  readonly method: 'POST' | 'PUT';
  /** Below the base; '' for the base itself. */
  readonly path: string;
  readonly body: Uint8Array | string;
  /** What it writes, in order: for a Bundle one for each entry, otherwise one. */
  readonly entries: readonly SentEntry[];
  /** Whether entries succeed and fail each for itself. */
  readonly kind: 'single' | 'transaction' | 'batch';
}

export interface SentEntry {
  readonly type: string;
  /** Where it stood in the item. */
  readonly index: number;
}

interface BundleEntry {
  readonly fullUrl?: string;
  readonly resource?: { readonly resourceType?: unknown; readonly id?: unknown };
  readonly request?: { readonly method?: string; readonly url?: string };
}

/** Identifies an item in the journal and, with what it is sent for, to the server. */
export function itemHash(content: Uint8Array, position: number): string {
  return hash('sha256', `${hash('sha256', content)} ${position}`, 'base64url');
}

/** The same content at the same place is the same request, however often it is sent. */
export function idempotencyKey(item: string, entries: readonly SentEntry[] | undefined): string {
  const part = entries === undefined ? '' : ` ${entries.map((entry) => entry.index).join(',')}`;
  return `medseal-import-1-${hash('sha256', `${item}${part}`, 'base64url')}`;
}

/**
 * What an item is sent as: a transaction or batch as it is; a collection, searchset or document as a transaction of its
 * entries; any other resource by itself, under its own id where it has one.
 *
 * @param open of a batch only these entries, by index; the others were acknowledged before
 * @throws MedSealError `malformed-json` and its kin, `invalid-bundle`
 */
export function requestOf(content: Uint8Array, open?: ReadonlySet<number>): ImportRequest {
  const value = parsed(content);
  const { resourceType: type, id } = value;
  if (!isTypeName(type)) {
    throw new MedSealError('invalid-resource', 'This is no FHIR resource', { expression: 'resourceType' });
  }
  if (type === 'Bundle') return bundleRequest(content, value, open);
  const entries = [{ type, index: 0 }];
  return typeof id === 'string'
    ? { method: 'PUT', path: `${type}/${encodeURIComponent(id)}`, body: content, entries, kind: 'single' }
    : { method: 'POST', path: type, body: content, entries, kind: 'single' };
}

const COLLECTIONS: ReadonlySet<unknown> = new Set(['collection', 'searchset', 'document']);

function bundleRequest(
  content: Uint8Array,
  { type, entry }: Readonly<Record<string, unknown>>,
  open: ReadonlySet<number> | undefined,
): ImportRequest {
  if (COLLECTIONS.has(type)) return collectionRequest(content);
  if (type !== 'transaction' && type !== 'batch') {
    throw new MedSealError('invalid-bundle', 'A Bundle of this type is nothing to import', {
      expression: 'Bundle.type',
    });
  }
  if (open !== undefined) return partialBatch(content, open);
  return { method: 'POST', path: '', body: content, entries: listOf(entry).map(sentEntry), kind: type };
}

/** Decimals keep their written form, so the strict parser reads what is put together anew. */
function partialBatch(content: Uint8Array, open: ReadonlySet<number>): ImportRequest {
  const bundle = parseJson(content) as Readonly<Record<string, JsonValue>>;
  const all = listOf(bundle.entry);
  const kept = all.flatMap((entry, index) => (open.has(index) ? [{ entry, sent: sentEntry(entry, index) }] : []));
  const body = JSON.stringify({ ...bundle, entry: kept.map(({ entry }) => entry) });
  return { method: 'POST', path: '', body, entries: kept.map(({ sent }) => sent), kind: 'batch' };
}

function collectionRequest(content: Uint8Array): ImportRequest {
  const { entry } = parseJson(content) as Readonly<Record<string, JsonValue>>;
  const kept = listOf(entry).flatMap((one, index) => {
    const type = one?.resource?.resourceType;
    return isTypeName(type) && type !== 'OperationOutcome' ? [{ one, type, index }] : [];
  });
  const transaction = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: kept.map(({ one: { fullUrl, resource }, type }) => ({
      ...(fullUrl === undefined ? {} : { fullUrl }),
      resource,
      request:
        typeof resource?.id === 'string'
          ? { method: 'PUT', url: `${type}/${resource.id}` }
          : { method: 'POST', url: type },
    })),
  };
  const entries = kept.map(({ type, index }) => ({ type, index }));
  return { method: 'POST', path: '', body: JSON.stringify(transaction), entries, kind: 'transaction' };
}

function sentEntry(entry: BundleEntry | null, index: number): SentEntry {
  const type = entry?.resource?.resourceType ?? entry?.request?.url?.split(/[/?]/)[0];
  return { type: isTypeName(type) ? type : 'unknown', index };
}

/** What may be shown in a summary: anything else could be a value out of a record. */
function isTypeName(type: unknown): type is string {
  return typeof type === 'string' && /^[A-Za-z]{1,64}$/.test(type);
}

function listOf(entry: unknown): readonly BundleEntry[] {
  return Array.isArray(entry) ? entry : [];
}

/** Only to see what it is: the server reads the same bytes strictly. */
function parsed(content: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8'));
  } catch {
    // V8's message quotes the text, so it must not travel as the cause.
    throw new MedSealError('malformed-json', 'This is not JSON');
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new MedSealError('invalid-resource', 'This is no FHIR resource', { expression: 'resourceType' });
}
