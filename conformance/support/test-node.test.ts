import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestNode } from './test-node.ts';

for (const database of ['shared', 'embedded'] as const) {
  test(`a test node (${database} database) keeps its address, its clients and its records when it is killed`, async (t) => {
    const node = await startTestNode(t, { database });
    const put = async (id: string) => {
      const response = await fetch(`${node.url}/hospital-a/fhir/Organization/${id}`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${await node.token('hospital-a')}`,
          'content-type': 'application/fhir+json',
        },
        body: JSON.stringify({ resourceType: 'Organization', id, name: 'A' }),
      });
      return response.status;
    };
    assert.equal(await put('one'), 201);
    await node.kill9();
    await assert.rejects(put('two'), /No server runs on/);
    await node.restart();
    assert.equal(await put('one'), 200);
    assert.equal(await put('two'), 201);
    await node.stop();
  });
}
