import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { composeRestore } from '../compose/restore.ts';
import { readConfig } from '../config.ts';
import { MedSealError } from '../errors.ts';
import { PARTS, type Part } from '../interactions/backup/archive.ts';
import { silentLogger } from '../logger.ts';
import { archiveFile } from './backup.ts';
import type { Command } from './commands.ts';
import { columns, count } from './text.ts';
import { needed, parseOptions, UsageError } from './usage.ts';

export const restore: Command = {
  usage: 'medseal restore DIR [--keys DIR]',
  summary: 'Put a backup into empty databases',
  about: `Restores what \`medseal backup\` saved: DIR/records.backup, and keys.backup of the same directory or of --keys. Where only
one of the two is there, only that is restored: the other database must then be the one that it belongs to. No server may
run on these databases, they must be empty (a ledger in them stays, and is compared), and the master key must be in its
place. The backup may be of an older version; the next start brings it up to date.

Then start the server. It compares the database with the ledger, and as long as the ledger has more, refuses writes until
\`medseal rebuild\` has replayed that. Tokens are not restored: clients ask for new ones.

Exit codes: 0 done, 1 not, and then nothing of that archive is there, 2 misused.`,
  async run(args) {
    const { values, positionals } = parseOptions(args, { keys: { type: 'string' } }, 1);
    const directory = needed(positionals[0], 'DIR');
    const directories = { records: directory, keys: values.keys ?? directory };
    const found = PARTS.filter((part) => existsSync(archiveFile(directories[part], part)));
    if (found.length === 0) throw new UsageError(`there is no backup in ${directory}`);
    const rows = { records: 0, keys: 0 };
    const restored = await composeRestore({
      config: readConfig(),
      logger: silentLogger,
      archives: Object.fromEntries(found.map((part) => [part, () => linesOf(archiveFile(directories[part], part))])),
      onRows: (part, more) => {
        rows[part] += more;
      },
    });
    const told = found.map((part: Part) => [part, `${count(rows[part])} rows`, `of ${restored[part]}`]);
    process.stdout.write(`${columns(told).join('\n')}\n\nStart the server; if it refuses writes: medseal rebuild\n`);
    return 0;
  },
};

async function* linesOf(file: string): AsyncGenerator<unknown> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    try {
      yield JSON.parse(line) as unknown;
    } catch (cause) {
      throw new MedSealError('sealed-content-damaged', `${file} holds a line that is not JSON`, { cause });
    }
  }
}
