import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { MedSealError } from '../errors.ts';
import type { Finding, Place, Progress, ScrubEvent, Summary } from '../interactions/scrub/events.ts';
import type { Command } from './commands.ts';
import { callAdministration, connect } from './connection.ts';
import { columns, count } from './text.ts';
import { parseOptions } from './usage.ts';

export const scrub: Command = {
  usage: 'medseal scrub [--mend] [--sweep]',
  summary: 'Compare database, content store and ledger',
  about: `Reads everything that the running server keeps and tells of every disagreement: between versions, the leaves of the
logs, their trees, the sealed blocks, the manifests, the anchors on the ledger, and the keys. Nothing is changed unless asked for, and the
server goes on meanwhile. What it prints holds nothing out of a record.

--mend   put what the content store lost, or has damaged, there again, where the database still has it: the very same
         blocks, and nothing else
--sweep  take keys that no record uses, and that are older than an hour, out of use; destroy those that an earlier sweep,
         more than an hour ago, took out of use

Exit codes: 0 no disagreement, 1 some (or the scrub could not end), 2 misused.`,
  async run(args) {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseOptions(args, { mend: flag, sweep: flag }, 0);
    const { mend, sweep } = values;
    const response = await callAdministration(connect(), 'POST', '/admin/scrub', { mend, sweep });
    const progress = progressLine(process.stderr);
    try {
      for await (const event of eventsOf(response)) {
        if (event.event === 'progress') progress.show(event);
        else progress.clear();
        if (event.event === 'finding') process.stdout.write(`${findingText(event)}\n`);
        if (event.event === 'failure') throw new MedSealError('internal', `The scrub could not end: ${event.text}`);
        if (event.event !== 'summary') continue;
        process.stdout.write(summaryText(event));
        return event.findings === 0 ? 0 : 1;
      }
    } finally {
      progress.clear();
    }
    throw new MedSealError('storage-unavailable', 'The server ended before the scrub did');
  },
};

async function* eventsOf({ body }: Response): AsyncGenerator<ScrubEvent> {
  if (body === null) return;
  // The types of fetch and of node:stream describe the same class.
  const lines = createInterface({ input: Readable.fromWeb(body as ReadableStream) });
  for await (const line of lines) yield JSON.parse(line) as ScrubEvent;
}

const CHECKS: Readonly<Record<Progress['check'], string>> = {
  versions: 'versions',
  resources: 'resources',
  access: 'access entries',
  logs: 'batches',
  ledger: 'anchors',
  keys: 'keys',
};

/** One line that rewrites itself on a terminal; elsewhere nothing. */
function progressLine(output: NodeJS.WriteStream) {
  const erase = '\r\u001b[K';
  return {
    show({ check, done }: Progress): void {
      if (output.isTTY) output.write(`${erase}${CHECKS[check]}: ${count(done)}`);
    },
    clear(): void {
      if (output.isTTY) output.write(erase);
    },
  };
}

function findingText({ kind, severity, text, swept, mended, ...rest }: Finding): string {
  const mark = severity === 'error' ? '✗' : '·';
  const done = swept === true ? ' (swept)' : mended === true ? ' (mended)' : '';
  return `${mark} ${kind}: ${text}${done}\n    ${placeText(rest)}`;
}

function placeText({ institution, log, type, row, token, batch, leaf, tile, cid, count: times }: Place): string {
  const named: readonly (readonly [string, string | number | undefined])[] = [
    ['log', log],
    ['type', type],
    ['row', row],
    ['token', token],
    ['batch', batch],
    ['leaf', leaf],
    ['tile', tile],
    ['cid', cid],
    ['count', times],
  ];
  const parts = named.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return [...(institution === undefined ? [] : [institution]), ...parts].join(', ');
}

function summaryText({ findings, counts, seconds }: Summary): string {
  const { versions, numberedLeaves, pendingLeaves, resources, accessEntries, batches, blocks, anchors, keys } = counts;
  const rows = [
    ['versions', count(versions), `${count(numberedLeaves)} numbered leaves, ${count(pendingLeaves)} pending`],
    ['resources', count(resources), ''],
    ['access entries', count(accessEntries), ''],
    ['batches', count(batches), `${count(anchors)} anchored`],
    ['blocks', count(blocks), ''],
    ['keys', count(keys), ''],
  ];
  const outcome = findings === 0 ? 'nothing to report' : `${count(findings)} disagreement${findings === 1 ? '' : 's'}`;
  return `${columns(rows).join('\n')}\n\n${outcome} (${seconds.toFixed(1)} s)\n`;
}
