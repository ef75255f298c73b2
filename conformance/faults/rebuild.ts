import assert from 'node:assert/strict';
import { callAdministration, connect } from '../../src/cli/connection.ts';
import { jsonLines } from '../../src/cli/json-lines.ts';
import type { RebuildEvent, RebuildSummary } from '../../src/interactions/rebuild/events.ts';
import type { TestNode } from '../support/test-node.ts';

/** `medseal rebuild` on a node, to its end. */
export async function rebuilt(node: TestNode): Promise<RebuildSummary> {
  const response = await callAdministration(connect(node.dataDirectory), 'POST', '/admin/rebuild');
  let summary: RebuildEvent | undefined;
  let done = -1;
  for await (const event of jsonLines<RebuildEvent>(response)) {
    summary = event;
    if (event.event !== 'progress') continue;
    assert.ok(event.done > done && event.done <= event.total, 'it goes forward');
    done = event.done;
  }
  assert.equal(summary?.event, 'summary', JSON.stringify(summary));
  return summary as RebuildSummary;
}
