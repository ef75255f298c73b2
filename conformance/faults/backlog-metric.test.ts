/** What waits to be anchored shows in the metrics, so that somebody can be told when it grows. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { accepted, clientOf, patient } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';

test('leaves that are not anchored are counted by log, until they are', async (t) => {
  // A content store that is away: writes go on, and anchoring waits.
  const away = createServer((_, response) => response.writeHead(503).end());
  away.listen(0, '127.0.0.1');
  await once(away, 'listening');
  t.after(() => away.close());
  const api = `http://127.0.0.1:${(away.address() as AddressInfo).port}`;
  const node = await startTestNode(t, { env: { MEDSEAL_IPFS_API: api } });
  const waiting = async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    const of = (log: string) =>
      Number(new RegExp(`^medseal_unanchored_leaves\\{log="${log}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
    return { records: of('records'), access: of('access') };
  };
  const leaves = async () => {
    const [row] = await onRecords<{ records: string; access: string }>(
      node,
      `select count(*) filter (where log = 1) as records, count(*) filter (where log = 2) as access
       from (select log from leaf union all select log from leaf_pending) as leaves`,
    );
    return { records: Number(row?.records), access: Number(row?.access) };
  };
  assert.deepEqual(await waiting(), await leaves());
  for (const id of ['p1', 'p2', 'p3'])
    await accepted(clientOf(node, 'hospital-a').put(`Patient/${id}`, patient(id, id)));
  await until('some of them are numbered, others come later', async () => {
    const [row] = await onRecords<{ numbered: boolean }>(
      node,
      'select exists (select from leaf where log = 1) as numbered',
    );
    return row?.numbered === true;
  });
  const before = await waiting();
  assert.ok(before.records >= 3 && before.access >= 3, JSON.stringify(before));
  assert.deepEqual(before, await leaves());
  // Now on CAR files in the data directory.
  await node.restart({});
  await untilAnchored(node);
  assert.deepEqual(await waiting(), { records: 0, access: 0 });
});
