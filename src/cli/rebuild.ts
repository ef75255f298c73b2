import { MedSealError } from '../errors.ts';
import type { RebuildEvent, RebuildSummary } from '../interactions/rebuild/events.ts';
import type { Command } from './commands.ts';
import { callAdministration, connect } from './connection.ts';
import { barLine } from './import/progress.ts';
import { jsonLines } from './json-lines.ts';
import { columns, count } from './text.ts';
import { parseOptions } from './usage.ts';

export const rebuild: Command = {
  usage: 'medseal rebuild',
  summary: 'Make the records database again after a restore',
  about: `For a records database that was restored from an older backup, or is empty: the running server, which refuses writes
until then, replays what the ledger, the content store and the key service have beyond it. Every root that the ledger
anchors is computed anew on the way. Started again after it was stopped it goes on where it was; on a database that lacks
nothing it changes nothing.

What comes back: every anchored version of every record, consents and their rules, the logs with the same numbers.
What does not, because it lies nowhere else: versions that were not anchored yet, the details of entries of the access
log (their leaves do come back, so that the log still verifies), remembered answers to Idempotency-Keys, clients, and
per-institution settings. The last two come from the backup of those.

Exit codes: 0 done and writes accepted, 1 not, 2 misused.`,
  async run(args) {
    parseOptions(args, {}, 0);
    const response = await callAdministration(connect(), 'POST', '/admin/rebuild');
    const progress = progressLine(process.stderr);
    try {
      for await (const event of jsonLines<RebuildEvent>(response)) {
        if (event.event === 'progress') {
          progress.show(event.done / event.total, `${event.institution} ${event.log}`);
          continue;
        }
        progress.clear();
        if (event.event === 'failure') throw new MedSealError('internal', `The rebuild could not end: ${event.text}`);
        process.stdout.write(summaryText(event));
        return event.fence === null ? 0 : 1;
      }
    } finally {
      progress.clear();
    }
    throw new MedSealError('storage-unavailable', 'The server ended before the rebuild did; it goes on where it was');
  },
};

/** One line that rewrites itself on a terminal; elsewhere nothing. */
function progressLine(output: NodeJS.WriteStream) {
  const erase = '\r\u001b[K';
  return {
    show(part: number, facts: string): void {
      if (output.isTTY) output.write(erase + barLine(part, facts, output.columns));
    },
    clear(): void {
      if (output.isTTY) output.write(erase);
    },
  };
}

function summaryText(summary: RebuildSummary): string {
  const { institutions, replayed, recorded, versions, waiting, keyless, accessOnly, fence } = summary;
  const rows = [
    ['batches replayed', replayed],
    ['batches found anchored', recorded],
    ['versions made again', versions],
    ['leaves numbered', waiting],
    ['versions whose key no longer exists', keyless],
    ['access entries without their details', accessOnly],
    ['institutions made again', institutions],
  ] as const;
  const told = rows.filter(([, number]) => number > 0).map(([name, number]) => [name, count(number)]);
  const nothing = told.length === 0 ? '  nothing was lacking\n' : '';
  const outcome = fence === null ? 'writes are accepted' : `writes are refused: ${fence}`;
  return `${nothing}${columns(told, { right: true })
    .map((line) => `${line}\n`)
    .join('')}\n${outcome}\n`;
}
