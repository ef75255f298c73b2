import { hash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readConfig } from '../../config.ts';
import { MedSealError } from '../../errors.ts';
import type { Command } from '../commands.ts';
import { type Connection, connect } from '../connection.ts';
import { readClient } from '../data-directory.ts';
import { needed, parseOptions, UsageError } from '../usage.ts';
import { type Journal, openJournal } from './journal.ts';
import { type Progress, startProgress } from './progress.ts';
import { type ImportResult, runImport } from './run.ts';
import { createSender } from './sender.ts';
import { findSources, type Source } from './sources.ts';
import { summaryText } from './summary.ts';
import { createTally } from './tally.ts';
import { clientTokens, fixedToken, type TokenSource, tokenEndpointOf } from './tokens.ts';

const OPTIONS = {
  base: { type: 'string' },
  client: { type: 'string' },
  token: { type: 'string' },
  concurrency: { type: 'string', default: '4' },
  journal: { type: 'string' },
  restart: { type: 'boolean', default: false },
} as const;

const INTERRUPTED = 130;

export const importCommand: Command = {
  usage: 'medseal import --base URL [--client C | --token T] [--concurrency N] [--journal FILE] [--restart] PATH...',
  summary: 'Push Bundles and resources to a FHIR base',
  about: `URL is an institution's base, such as http://127.0.0.1:8080/hospital-a/fhir.

PATH is a file, a directory (walked for .json, .ndjson, .jsonl and the .gz of each) or - for standard input. A file
holds one Bundle or resource, or one a line. What is in it is sent as:
  Bundle transaction, batch                  as it is
  Bundle collection, searchset, document     one transaction of its entries: PUT where a resource has an id, else POST
  any other resource                         PUT under its id, POST where it has none

--client C       a client whose key lies in the data directory; unless said otherwise, that of the base's institution
--token T        an access token, in place of a client
--concurrency N  requests in flight, 4 unless said otherwise
--journal FILE   where to note what was acknowledged; in the data directory unless said otherwise
--restart        send all of it again, whatever the journal says

What fails for a missing reference is sent again after the rest, as long as that helps. A server that is away or busy is
waited for. Every request bears an Idempotency-Key made from its content, so that a repetition never doubles anything.
The same command goes on where an earlier one stopped.

Exit codes: 0 all is in, 1 something failed, 2 misused, 130 stopped by Ctrl-C.`,
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS);
    const base = readBase(needed(values.base, '--base'));
    const concurrency = readConcurrency(values.concurrency);
    if (positionals.length === 0) throw new UsageError('a PATH is needed');
    const sources = findSources(positionals);
    const tokens = await chooseTokens(base, values);
    const file = values.journal ?? defaultJournal(base, sources);
    const journal = await openJournal(resolve(file), base, values.restart);
    try {
      return await importAll({ base, concurrency, sources, tokens, journal });
    } finally {
      await journal.close();
    }
  },
};

interface Import {
  readonly base: string;
  readonly concurrency: number;
  readonly sources: readonly Source[];
  readonly tokens: TokenSource;
  readonly journal: Journal;
}

async function importAll({ base, concurrency, sources, tokens, journal }: Import): Promise<number> {
  const tally = createTally();
  const now = () => performance.now();
  const progress = startProgress({ sources, tally, output: process.stderr, now });
  const stop = listenForStop(progress);
  const began = now();
  const sender = createSender({
    base,
    tokens,
    signal: stop.now,
    now,
    wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
    onWait: onceInAWhile(progress, now),
  });
  let result: ImportResult = { skipped: 0, waiting: 0 };
  let broken: unknown;
  try {
    const onRound = (round: number, waiting: number): void =>
      progress.note(`round ${round}: ${waiting} items that waited for a reference`);
    const { read: onRead } = progress;
    result = await runImport({ sources, sender, journal, tally, concurrency, stopping: stop.soon, onRead, onRound });
  } catch (error) {
    broken = error;
  } finally {
    progress.stop();
    stop.forget();
  }
  const seconds = (now() - began) / 1000;
  process.stdout.write(summaryText(tally, { base, seconds, ...result, journal: journal.file }));
  if (stop.soon.aborted) {
    process.stderr.write('Stopped. The same command goes on from here.\n');
    return INTERRUPTED;
  }
  if (broken === undefined) return tally.failed === 0 ? 0 : 1;
  if (!(broken instanceof MedSealError)) throw broken;
  process.stderr.write(`medseal import: ${broken.message}. The same command goes on from here.\n`);
  return 1;
}

/** How soon a second Ctrl-C counts: a terminal and npx may both pass on the first. */
const SECOND_AFTER = 1000;

/** The first Ctrl-C lets what is in flight end, the second does not. */
function listenForStop(progress: Progress) {
  const soon = new AbortController();
  const atOnce = new AbortController();
  let first = 0;
  const onSignal = (): void => {
    if (!soon.signal.aborted) {
      first = performance.now();
      soon.abort();
      progress.note('stopping when what is in flight has ended; Ctrl-C again stops at once');
    } else if (performance.now() - first > SECOND_AFTER) {
      atOnce.abort();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  return {
    soon: soon.signal,
    now: atOnce.signal,
    forget: () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
    },
  };
}

/** One note for all who wait for the same thing. */
function onceInAWhile(progress: Progress, now: () => number): (reason: string) => void {
  const interval = 10_000;
  let last = Number.NEGATIVE_INFINITY;
  return (reason) => {
    if (now() - last < interval) return;
    last = now();
    progress.note(`waiting: ${reason}`);
  };
}

function readBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new UsageError(`--base ${text} is not the URL of a FHIR base`);
  }
  return text.replace(/\/+$/, '');
}

function readConcurrency(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 64) return number;
  throw new UsageError('--concurrency is a number from 1 to 64');
}

async function chooseTokens(
  base: string,
  { client, token }: { readonly client?: string; readonly token?: string },
): Promise<TokenSource> {
  if (token !== undefined && client !== undefined) throw new UsageError('--client and --token exclude each other');
  if (token !== undefined) return fixedToken(token);
  const { dataDirectory } = readConfig();
  const name = client ?? /\/([^/]+)\/fhir$/.exec(base)?.[1];
  const stored = name === undefined ? undefined : readClient(dataDirectory, name);
  if (stored === undefined) {
    const which = client === undefined ? 'say --client or --token' : `there is no key of a client ${client}`;
    throw new UsageError(`${which} (keys are looked for in ${join(dataDirectory, 'clients')})`);
  }
  return clientTokens(await tokenEndpointOf(base, localServer(dataDirectory)), stored, () => performance.now());
}

/** undefined: the base is another machine's. */
function localServer(dataDirectory: string): Connection | undefined {
  try {
    return connect(dataDirectory);
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'storage-unavailable') return undefined;
    throw error;
  }
}

/** The same for the same paths to the same base. */
function defaultJournal(base: string, sources: readonly Source[]): string {
  const paths = sources.map(({ path }) => (path === '-' ? path : resolve(path)));
  const name = hash('sha256', JSON.stringify([base, paths])).slice(0, 16);
  return join(readConfig().dataDirectory, 'imports', `${name}.jsonl`);
}
