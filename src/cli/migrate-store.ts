import { composeStoreMigration } from '../compose/store-migration.ts';
import { readConfig } from '../config.ts';
import { silentLogger } from '../logger.ts';
import type { Command } from './commands.ts';
import { barLine } from './import/progress.ts';
import { columns, count } from './text.ts';
import { parseOptions } from './usage.ts';

export const migrateStore: Command = {
  usage: 'medseal migrate-store',
  summary: 'Copy the content store from CAR files to IPFS',
  about: `Copies every batch out of the CAR files of the data directory (MEDSEAL_DATA) to the Kubo nodes of MEDSEAL_IPFS_API,
pins it there, and compares every block that comes back with its CID. It only reads the CAR files, so the server may go
on with them meanwhile. Stopped or killed, it goes on where it was when it is started again.

  1. medseal migrate-store             while the server runs on CAR files; takes as long as it takes
  2. stop the server; medseal migrate-store       the few batches that came meanwhile
  3. start the server with MEDSEAL_IPFS_API; medseal scrub; then remove content/ in the data directory

Exit codes: 0 every batch is there, 1 some are not, 2 misused.`,
  async run(args) {
    parseOptions(args, {}, 0);
    const { stdout, stderr } = process;
    const line = progressLine(stderr);
    try {
      for await (const event of composeStoreMigration(readConfig(), silentLogger)) {
        if (event.event === 'progress') line.show(event.done, event.total);
        else line.clear();
        if (event.event === 'failure') stdout.write(`✗ ${event.root}: ${event.text} (${event.code})\n`);
        if (event.event !== 'summary') continue;
        const { copied, there, failed } = event;
        const rows = [
          ['batches copied', count(copied)],
          ['there already', count(there)],
          ['not copied', count(failed)],
        ];
        stdout.write(`${columns(rows, { right: true }).join('\n')}\n`);
        return failed === 0 ? 0 : 1;
      }
    } finally {
      line.clear();
    }
    return 1;
  },
};

const LINE_EVERY = 10_000;

/** A bar on a terminal, a line now and then elsewhere. */
function progressLine(output: NodeJS.WriteStream) {
  const erase = output.isTTY ? '\r\u001b[K' : '';
  let last = Number.NEGATIVE_INFINITY;
  return {
    show(done: number, total: number): void {
      const facts = `${count(done)} of ${count(total)} batches`;
      if (output.isTTY) output.write(`${erase}${barLine(total === 0 ? 1 : done / total, facts, output.columns)}`);
      else if (performance.now() - last > LINE_EVERY) {
        output.write(`migrate-store: ${facts}\n`);
        last = performance.now();
      }
    },
    clear: () => void output.write(erase),
  };
}
