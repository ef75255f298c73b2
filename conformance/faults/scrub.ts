import assert from 'node:assert/strict';
import { callAdministration, connect } from '../../src/cli/connection.ts';
import { jsonLines } from '../../src/cli/json-lines.ts';
import type { Finding, ScrubEvent } from '../../src/interactions/scrub/events.ts';
import type { ScrubWishes } from '../../src/interactions/scrub/scrub.ts';
import type { TestNode } from '../support/test-node.ts';

/** The disagreements that `medseal scrub` finds on a node. */
export async function scrubFindings(
  node: Pick<TestNode, 'dataDirectory'>,
  wishes: ScrubWishes = {},
): Promise<readonly Finding[]> {
  const response = await callAdministration(connect(node.dataDirectory), 'POST', '/admin/scrub', wishes);
  const findings: Finding[] = [];
  let last: ScrubEvent | undefined;
  for await (const event of jsonLines<ScrubEvent>(response)) {
    if (event.event === 'finding' && event.severity === 'error') findings.push(event);
    last = event;
  }
  assert.equal(last?.event, 'summary', JSON.stringify(last));
  return findings;
}
