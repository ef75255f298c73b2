import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { type VerifiedEvidence, verifyEvidence } from '../trail/evidence/verify.ts';
import type { Command } from './commands.ts';
import { readRoots } from './data-directory.ts';
import { needed, parseOptions, UsageError } from './usage.ts';

export const verify: Command = {
  usage: 'medseal verify FILE [--roots ROOTS]',
  summary: 'Verify an evidence file, with no network and no server',
  about: [
    'FILE is what GET {base}/{Type}/{id}/_history/{version}/$evidence answered. ROOTS are the trust roots pinned by whoever',
    'verifies, by default roots.json of the data directory; they are never taken from FILE. Exit code 0: verified.',
  ].join('\n'),
  async run(args) {
    const { values, positionals } = parseOptions(args, { roots: { type: 'string' } }, 1);
    const file = needed(positionals[0], 'FILE');
    const roots = readRoots(values.roots ?? join(readConfig().dataDirectory, 'roots.json'));
    const { record, version, interaction, time, author, anchor, before } = verifyEvidence(readBytes(file), roots);
    process.stdout.write(
      [
        `verified: ${record} version ${version}`,
        `  ${interaction} at ${time} by ${author}`,
        `  log of ${anchor.institution}: size ${anchor.size}, root ${anchor.root}`,
        `  anchored at ${anchor.blockTime}: transaction ${anchor.transactionId}, block ${anchor.block}`,
        `  endorsed by ${anchor.endorsedBy.join(', ')} (${anchor.assurance})`,
        ...consortiumLines(anchor),
        ...carriedLines(anchor, before),
        '',
      ].join('\n'),
    );
    return 0;
  },
};

/** What only the proof of a ledger of several organisations tells. */
function consortiumLines(anchor: VerifiedEvidence['anchor']): readonly string[] {
  if (anchor.assurance === 'self-attested') return [];
  const { orderedBy, confirmedBy } = anchor;
  return [`  block signed by ${orderedBy.join(', ')}`, `  found valid by ${confirmedBy.join(', ')}`];
}

/** A log that began on a ledger of its own operator. */
function carriedLines(
  { predecessor }: VerifiedEvidence['anchor'],
  before: VerifiedEvidence['before'],
): readonly string[] {
  if (predecessor === undefined) return [];
  const { configuration, blocks } = predecessor;
  const carried = `  carried over, with this anchor, from ledger ${configuration}, then of ${blocks} blocks`;
  if (before === undefined) return [carried];
  const { blockTime, transactionId, block } = before;
  return [
    carried,
    `  by its operator's own word anchored there at ${blockTime}: transaction ${transactionId}, block ${block} (self-attested)`,
  ];
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
}
