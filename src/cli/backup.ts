import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MedSealError } from '../errors.ts';
import { type ArchiveLine, PARTS, type Part } from '../interactions/backup/archive.ts';
import { writeDurably } from '../storage/files.ts';
import type { Command } from './commands.ts';
import { callAdministration, connect } from './connection.ts';
import { jsonLines } from './json-lines.ts';
import { columns, count } from './text.ts';
import { needed, parseOptions } from './usage.ts';

/** The name of an archive in its directory. */
export function archiveFile(directory: string, part: Part): string {
  return join(directory, `${part}.backup`);
}

export const backup: Command = {
  usage: 'medseal backup DIR [--keys DIR]',
  summary: 'Save accounts, clients, records and keys of the running server',
  about: `Writes two archives, each of one state of its database, while the server goes on:

  DIR/records.backup   records, logs, accounts and clients; sealed under a secret of the key service
  DIR/keys.backup      the key service; sealed under the master key. --keys: in that directory instead

Keep the two, and the master key (MEDSEAL_MASTER_KEY_FILE), which is in neither, in places of their own: whoever holds one
of the three can read nothing. Backups of the keys should live for a limited time: what was erased is gone only when the
last of them is. The content store and a ledger of several institutions are not in here; they have copies of their own.

Exit codes: 0 done, 1 not, 2 misused.`,
  async run(args) {
    const { values, positionals } = parseOptions(args, { keys: { type: 'string' } }, 1);
    const directory = needed(positionals[0], 'DIR');
    const files = { records: archiveFile(directory, 'records'), keys: archiveFile(values.keys ?? directory, 'keys') };
    for (const file of Object.values(files)) {
      if (existsSync(file)) throw new MedSealError('already-exists', `${file} is there already`);
    }
    for (const made of [directory, values.keys ?? directory]) mkdirSync(made, { recursive: true, mode: 0o700 });
    const connection = connect();
    const rows: string[][] = [];
    // The records first: every key that they are sealed under is then among the keys.
    for (const part of PARTS) {
      const response = await callAdministration(connection, 'POST', '/admin/backup', { part });
      rows.push([
        part,
        `${count(await writeArchive(files[part], jsonLines<ArchiveLine>(response)))} rows`,
        files[part],
      ]);
    }
    process.stdout.write(`${columns(rows).join('\n')}\n`);
    return 0;
  },
};

/** @returns its rows */
async function writeArchive(path: string, lines: AsyncIterable<ArchiveLine>): Promise<number> {
  let rows = 0;
  await writeDurably(path, async (file) => {
    let ended = false;
    for await (const line of lines) {
      if ('failure' in line) throw new MedSealError('internal', `The backup could not end: ${line.failure}`);
      if ('rows' in line) rows += line.rows;
      ended = 'end' in line;
      await file.write(`${JSON.stringify(line)}\n`);
    }
    if (!ended) throw new MedSealError('storage-unavailable', 'The server ended before the backup did');
  });
  return rows;
}
