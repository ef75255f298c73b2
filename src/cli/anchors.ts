import { join } from 'node:path';
import { MedSealError } from '../errors.ts';
import type { ProvenAnchor } from '../trail/anchors.ts';
import { verifyAnchor } from '../trail/ledger/verify-anchor.ts';
import type { Command } from './commands.ts';
import { callAdministration, connect } from './connection.ts';
import { readRoots } from './data-directory.ts';
import { jsonLines } from './json-lines.ts';
import { parseOptions } from './usage.ts';

export const anchors: Command = {
  usage: 'medseal anchors [INSTITUTION] [--roots ROOTS]',
  summary: 'Show the newest anchors on the ledger, and verify each',
  about: `Of every log on the ledger, those of other organisations included, or of INSTITUTION's only: its size, its root, and
who endorsed, ordered and confirmed it. The running server only fetches them; each is verified here, by trust roots that
were pinned (default roots.json of the data directory). Exit code 0: there are some, and all hold.`,
  async run(args) {
    const { values, positionals } = parseOptions(args, { roots: { type: 'string' } }, 1);
    const connection = connect();
    const { ledger: roots } = readRoots(values.roots ?? join(connection.directory, 'roots.json'));
    const response = await callAdministration(connection, 'GET', '/admin/anchors');
    let shown = 0;
    for await (const { anchor, proof } of jsonLines<ProvenAnchor>(response)) {
      if (positionals[0] !== undefined && anchor.institution !== positionals[0]) continue;
      const facts = verifyAnchor(proof, roots);
      if (facts.root !== anchor.root || facts.institution !== anchor.institution || facts.log !== anchor.log) {
        throw new MedSealError(
          'evidence-invalid',
          `The proof is not that of the ${anchor.log} of ${anchor.institution}`,
        );
      }
      const by = facts.assurance === 'self-attested' ? '' : `, block signed by ${facts.orderedBy.join(', ')}`;
      process.stdout.write(
        [
          `${facts.institution} ${facts.log}: size ${facts.size}, root ${facts.root}`,
          `  of ${facts.owner} at ${facts.time}: transaction ${facts.transactionId}, block ${facts.block}`,
          `  endorsed by ${facts.endorsedBy.join(', ')}${by} (${facts.assurance})`,
          '',
        ].join('\n'),
      );
      shown += 1;
    }
    if (shown > 0) return 0;
    process.stderr.write('The ledger has no such anchor\n');
    return 1;
  },
};
