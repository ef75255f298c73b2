import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { counted } from '../../conformance/support/counted.ts';
import { testDatabase } from '../../conformance/support/test-database.ts';
import { noFaults } from '../faults.ts';
import { createKeyService } from './key-service.ts';
import { createMasterKey } from './master-key.ts';

test('keys that are asked for at the same time take one statement, and each is the one that was asked for', async (t) => {
  const { database } = await testDatabase(t);
  const master = createMasterKey([Buffer.alloc(32, 9)]);
  const subjects = Array.from({ length: 5 }, () => randomUUID());
  const writer = createKeyService({ database, master, faults: noFaults });
  const wrapping = await Promise.all(subjects.map((subject) => writer.wrappingKey([subject])));
  const shared = await writer.wrappingKey(subjects.slice(0, 2));

  const asking = counted(database);
  const reader = createKeyService({ database: asking.database, master, faults: noFaults });
  const missing = `${randomUUID()}.1`;
  const asked = [...wrapping, shared].map(({ kid }) => reader.openingKey(kid));
  const lost = reader.openingKey(missing);
  await assert.rejects(lost, { code: 'sealed-content-damaged' });
  const opened = await Promise.all(asked);
  assert.equal(asking.statements(), 1);
  for (const [index, { key }] of [...wrapping, shared].entries()) assert.ok(opened[index]?.equals(key));
  assert.equal(await reader.exists(missing), false);
  assert.equal(await reader.exists(shared.kid), true);
});
