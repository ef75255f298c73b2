/** The trust roots that a node has pinned: another ledger is not taken for the one that it writes to. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatRoots, parseRoots } from '../../src/trail/evidence/roots.ts';
import { untilAnchored } from '../faults/records-database.ts';
import { takeSnapshot } from '../faults/records-snapshot.ts';
import { startTestNode } from '../support/test-node.ts';

test('a server whose ledger is not that of roots.json ends, says why, and has changed nothing', async (t) => {
  const node = await startTestNode(t);
  await untilAnchored(node);
  await node.stop();
  const before = await takeSnapshot(node);
  const file = join(node.dataDirectory, 'roots.json');
  const pinned = readFileSync(file, 'utf8');
  const roots = parseRoots(pinned);
  const others = formatRoots({ ...roots, ledger: { ...roots.ledger, channel: 'ab'.repeat(16) } });
  writeFileSync(file, others);
  await assert.rejects(node.restart(), /pins other trust roots than this node now has; nothing was started/);
  assert.equal(readFileSync(file, 'utf8'), others, 'and what was pinned stays');
  assert.deepEqual(await takeSnapshot(node), before);
  writeFileSync(file, pinned);
  await node.restart();
});
