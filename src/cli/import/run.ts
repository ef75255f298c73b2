import { MedSealError } from '../../errors.ts';
import { type Item, readItems } from './items.ts';
import type { Journal } from './journal.ts';
import { type EntryOutcome, failAll, mayPass, outcomesOf, type Problem } from './outcome.ts';
import { type ImportRequest, idempotencyKey, itemHash, requestOf } from './request.ts';
import type { Sender } from './sender.ts';
import { type Source, STANDARD_INPUT } from './sources.ts';
import { problemsIn, type Tally } from './tally.ts';

export interface ImportOptions {
  readonly sources: readonly Source[];
  readonly sender: Sender;
  readonly journal: Journal;
  readonly tally: Tally;
  /** Requests in flight. */
  readonly concurrency: number;
  /** Aborted: nothing further is begun. */
  readonly stopping: AbortSignal;
  readonly onRead: (bytes: number) => void;
  /** A round over what may pass now begins. */
  readonly onRound: (round: number, waiting: number) => void;
}

export interface ImportResult {
  /** Acknowledged by an earlier run. */
  readonly skipped: number;
  /** Stopped while these still wait for others. */
  readonly waiting: number;
}

/** What of standard input may be kept to be tried again, bytes. */
const SPOOL_LIMIT = 256 * 1024 * 1024;

/** An item that failed for something that may pass. */
interface Waiting {
  readonly place: Place;
  /** What failed in it so far. */
  readonly outcomes: readonly EntryOutcome[];
  /** Of a batch: the entries that are to be sent again. */
  readonly open: ReadonlySet<number> | undefined;
  /** Only of standard input, which cannot be read again. */
  readonly item: Item | undefined;
}

type Place = Pick<Item, 'path' | 'position'>;

/**
 * Sends every item of the sources, several in flight; those that failed for something that others may bring, such as a
 * missing reference, again after the rest, until a round brings nothing forward.
 *
 * @throws MedSealError when the import cannot go on at all; what was acknowledged is in the journal
 */
export async function runImport(options: ImportOptions): Promise<ImportResult> {
  const { sources, stopping, journal, onRead, onRound } = options;
  let skipped = 0;
  const spool = createSpool();
  const first = await runRound(options, everyItem(sources, onRead), async (item, hash) => {
    const known = journal.known(hash);
    if (known !== 'acknowledged') return sendItem(options, item, hash, known, spool);
    skipped += 1;
    return NOTHING_DONE;
  });
  let { waiting, progress } = first;
  for (let round = 2; waiting.size > 0 && progress && !stopping.aborted; round++) {
    onRound(round, waiting.size);
    const before = waiting;
    const unseen = new Set(before.keys());
    ({ waiting, progress } = await runRound(options, itemsAgain(sources, before), async (item, hash) => {
      const known = before.get(hash);
      if (known === undefined || !unseen.delete(hash)) return NOTHING_DONE;
      return sendItem(options, item, hash, known.open, spool);
    }));
    // Stopped before its turn came, or its file was changed meanwhile.
    for (const hash of unseen) waiting.set(hash, before.get(hash) as Waiting);
  }
  if (stopping.aborted) return { skipped, waiting: waiting.size };
  for (const [hash, { place, outcomes }] of waiting) await fail(options, place, hash, outcomes);
  return { skipped, waiting: 0 };
}

async function* everyItem(sources: readonly Source[], onRead: (bytes: number) => void): AsyncGenerator<Item> {
  for (const source of sources) yield* readItems(source, onRead);
}

async function* itemsAgain(sources: readonly Source[], waiting: ReadonlyMap<string, Waiting>): AsyncGenerator<Item> {
  for (const { item } of waiting.values()) if (item !== undefined) yield item;
  const paths = new Set([...waiting.values()].map(({ place }) => place.path));
  paths.delete(STANDARD_INPUT);
  for (const source of sources) if (paths.has(source.path)) yield* readItems(source, () => undefined);
}

interface Spool {
  /** The item itself where it can only be kept, and there is room. */
  keep(item: Item): Item | undefined;
}

function createSpool(): Spool {
  const kept = new Set<Item>();
  let free = SPOOL_LIMIT;
  return {
    keep(item) {
      if (item.path !== STANDARD_INPUT || kept.has(item)) return kept.has(item) ? item : undefined;
      if (item.content.length > free) return undefined;
      free -= item.content.length;
      kept.add(item);
      return item;
    },
  };
}

/** What sending an item came to. */
interface Step {
  /** Whether anything was acknowledged. */
  readonly progress: boolean;
  readonly waiting?: Waiting;
}

const NOTHING_DONE: Step = { progress: false };

/** Begins the next item only when one of `concurrency` places is free, and none once stopping or one has thrown. */
async function runRound(
  { concurrency, stopping }: ImportOptions,
  items: AsyncGenerator<Item>,
  work: (item: Item, hash: string) => Promise<Step>,
): Promise<{ waiting: Map<string, Waiting>; progress: boolean }> {
  const waiting = new Map<string, Waiting>();
  let progress = false;
  let broken = false;
  const worker = async (): Promise<void> => {
    while (!stopping.aborted && !broken) {
      const { value, done } = await items.next();
      if (done || stopping.aborted) return;
      const hash = hashOf(value);
      const step = await work(value, hash);
      progress ||= step.progress;
      if (step.waiting !== undefined) waiting.set(hash, step.waiting);
    }
  };
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      broken = true;
      throw error;
    });
  const settled = await Promise.allSettled(Array.from({ length: concurrency }, guarded));
  await items.return(undefined);
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  return { waiting, progress };
}

function hashOf({ path, position, content }: Item): string {
  // What could not be read has no content to go by.
  return typeof content === 'string' ? `${content} ${path} ${position}` : itemHash(content, position);
}

async function sendItem(
  options: ImportOptions,
  item: Item,
  hash: string,
  open: ReadonlySet<number> | undefined,
  spool: Spool,
): Promise<Step> {
  const place = { path: item.path, position: item.position };
  const request = readRequest(item, open);
  if (!('method' in request)) {
    await fail(options, place, hash, failAll([{ type: 'unreadable', index: 0 }], [request]));
    return NOTHING_DONE;
  }
  const key = idempotencyKey(hash, open === undefined ? undefined : request.entries);
  const outcomes = outcomesOf(request, await options.sender.send(request, key));
  const failed = outcomes.filter((outcome) => outcome.result === 'failed');
  const progress = failed.length < outcomes.length || failed.length === 0;
  if (progress) await acknowledge(options, place, hash, outcomes, open);
  const again = failed.filter(mayPass);
  const kept = again.length > 0 ? spool.keep(item) : undefined;
  if (again.length > 0 && (kept !== undefined || item.path !== STANDARD_INPUT)) {
    options.tally.add(
      placeText(place),
      failed.filter((outcome) => !again.includes(outcome)),
    );
    const entries = request.kind === 'batch' ? new Set(again.map(({ index }) => index)) : undefined;
    return { progress, waiting: { place, outcomes: again, open: entries, item: kept } };
  }
  if (failed.length > 0) await fail(options, place, hash, failed);
  else options.tally.end();
  return { progress };
}

/** What a batch brought in stays in: only the rest is sent again, by this run or by another. */
async function acknowledge(
  { journal, tally }: ImportOptions,
  place: Place,
  hash: string,
  outcomes: readonly EntryOutcome[],
  open: ReadonlySet<number> | undefined,
): Promise<void> {
  const done = outcomes.filter((outcome) => outcome.result !== 'failed');
  const before = journal.known(hash);
  const left = new Set(typeof before === 'object' ? before : (open ?? outcomes.map(({ index }) => index)));
  for (const { index } of done) left.delete(index);
  const rest =
    left.size === 0 ? { outcome: 'acknowledged' as const } : { outcome: 'partial' as const, open: [...left] };
  await journal.record({ ...place, hash, ...rest });
  tally.add(placeText(place), done);
}

/** The request that an item becomes, or why there is none. */
function readRequest({ content }: Item, open: ReadonlySet<number> | undefined): ImportRequest | Problem {
  if (content === 'too-large') return { code: 'body-too-large', element: '' };
  if (content === 'unreadable') return { code: 'unreadable-file', element: '' };
  try {
    return requestOf(content, open);
  } catch (error) {
    if (!(error instanceof MedSealError)) throw error;
    return { code: error.code, element: error.issues[0]?.expression ?? '' };
  }
}

async function fail(
  { journal, tally }: ImportOptions,
  place: Place,
  hash: string,
  outcomes: readonly EntryOutcome[],
): Promise<void> {
  // A batch of which a part is in stays recorded as such.
  if (journal.known(hash) === undefined) {
    await journal.record({ ...place, hash, outcome: 'failed', problems: problemsIn(outcomes) });
  }
  tally.add(placeText(place), outcomes);
  tally.end();
}

function placeText({ path, position }: Place): string {
  return `${path}#${position}`;
}
