import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MedSealError } from '../../errors.ts';
import type { Problem } from './outcome.ts';

/**
 * What an import has brought to an end, durable item by item, so that another run goes on where this one stopped. JSON
 * lines with content hashes, paths and outcomes; never content.
 */
export interface Journal {
  readonly file: string;
  /** What is known of an item: acknowledged in full, or all but these entries; undefined when nothing was. */
  known(hash: string): 'acknowledged' | ReadonlySet<number> | undefined;
  /** Durable when it resolves. Lines of items that end at the same time are synced together. */
  record(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

interface JournalEntry {
  readonly path: string;
  readonly position: number;
  readonly hash: string;
  readonly outcome: 'acknowledged' | 'partial' | 'failed';
  /** Of a batch that was acknowledged in part: the entries that were not. */
  readonly open?: readonly number[];
  readonly problems?: readonly (Problem & { readonly count: number })[];
}

const FORMAT = 'medseal/import-journal/1';

/**
 * Opens the journal of an import to `base`, or begins one.
 *
 * @param restart forget an earlier one
 * @throws MedSealError `invalid-configuration` for a file that is no journal, or one of another base
 */
export async function openJournal(file: string, base: string, restart: boolean): Promise<Journal> {
  if (restart) rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const known = existsSync(file) ? load(file, base) : new Map<string, 'acknowledged' | ReadonlySet<number>>();
  const handle = await open(file, 'a', 0o600);
  let waiting: string[] = [];
  let syncing = Promise.resolve();

  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    const lines = waiting.join('');
    waiting = [];
    await handle.appendFile(lines);
    await handle.datasync();
  }
  const append = (line: object): Promise<void> => {
    waiting.push(`${JSON.stringify(line)}\n`);
    // Whoever comes while one sync is under way shares the next.
    syncing = syncing.then(flush);
    return syncing;
  };

  if ((await handle.stat()).size === 0) await append({ format: FORMAT, base });
  return {
    file,
    known: (hash) => known.get(hash),
    record(entry) {
      if (entry.outcome === 'acknowledged') known.set(entry.hash, 'acknowledged');
      if (entry.outcome === 'partial') known.set(entry.hash, new Set(entry.open));
      return append(entry);
    },
    close: () => syncing.finally(() => handle.close()),
  };
}

function load(file: string, base: string): Map<string, 'acknowledged' | ReadonlySet<number>> {
  const bytes = readFileSync(file);
  // A line that was cut short by a crash was never acknowledged to anyone.
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) truncateSync(file, end);
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  const known = new Map<string, 'acknowledged' | ReadonlySet<number>>();
  const [first, ...entries] = lines.map((line) => parseLine(line, file));
  if (first === undefined) return known;
  const header = first as { format?: unknown; base?: unknown };
  if (header.format !== FORMAT) throw notJournal(file);
  if (header.base !== base) {
    throw new MedSealError(
      'invalid-configuration',
      `${file} is the journal of an import to ${String(header.base)}; name another with --journal, or begin anew with --restart`,
    );
  }
  for (const entry of entries as readonly JournalEntry[]) {
    if (entry.outcome === 'acknowledged') known.set(entry.hash, 'acknowledged');
    if (entry.outcome === 'partial') known.set(entry.hash, new Set(entry.open));
  }
  return known;
}

function parseLine(line: string, file: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw notJournal(file, cause);
  }
}

function notJournal(file: string, cause?: unknown): MedSealError {
  return new MedSealError('invalid-configuration', `${file} is not the journal of an import`, { cause });
}
