import { MedSealError } from '../errors.ts';
import { parseTemporal } from '../fhir/fhirpath/temporal.ts';
import type { DropEvent } from '../trail/access-retention.ts';
import type { Command } from './commands.ts';
import { callAdministration, connect } from './connection.ts';
import { jsonLines } from './json-lines.ts';
import { count } from './text.ts';
import { needed, parseOptions, UsageError } from './usage.ts';

export const access: Command = {
  usage: 'medseal access drop --before DATE --reason TEXT',
  summary: 'Drop entries of the access trail after their retention',
  about: `Destroys what the oldest entries of every institution’s access trail say: whole batches that are anchored and
were sealed before DATE (2026-01-31, or an instant with its time zone; a date begins in UTC). Their leaves, the tree and
the anchors stay, so that all that is kept still verifies, and an entry of the trail says what was dropped, by whom and
why; TEXT is the reason. It cannot be undone. How long entries must be kept the law says, and not this command;
MEDSEAL_ACCESS_RETENTION does the same day by day.`,
  async run(args) {
    const { values, positionals } = parseOptions(args, { before: { type: 'string' }, reason: { type: 'string' } }, 1);
    if (positionals[0] !== 'drop') throw new UsageError('say drop');
    const before = needed(values.before, '--before');
    if (parseTemporal(before) === undefined) throw new UsageError(`${before} is no date`);
    const body = { before, reason: needed(values.reason, '--reason') };
    const response = await callAdministration(connect(), 'POST', '/admin/access/drop', body);
    for await (const event of jsonLines<DropEvent>(response)) {
      if (event.event === 'summary') {
        if (event.institutions === 0) process.stdout.write('nothing was to be dropped\n');
        return 0;
      }
      const { institution, entries, leaves, hours } = event;
      const gone = `${count(entries)} entries and the keys of ${count(hours)} hours are gone`;
      process.stdout.write(`${institution}: ${gone}; the log has leaves without entries up to ${count(leaves)}\n`);
    }
    throw new MedSealError('storage-unavailable', 'The server ended before all was dropped; started again it goes on');
  },
};
