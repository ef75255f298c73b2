/** The content-store port's one suite on real Kubo nodes: one, and several of which two must have a batch. */
import { after } from 'node:test';
import { skippedWithout, versionOf } from '../support/engines.ts';
import { collectGarbage, emptyKubo, startKubo } from '../support/kubo.ts';
import { contentStoreContract } from './content-store-contract.ts';

for (const count of [1, 3]) {
  let starting: Promise<readonly string[]> | undefined;
  const hooks: (() => Promise<void>)[] = [];
  // Those of a node that is started inside a test would end it with that test.
  after(async () => {
    for (const hook of hooks) await hook();
  });
  contentStoreContract({
    name: `kubo ${versionOf('ipfs')}, ${count === 1 ? 'one node' : `${count} nodes`}`,
    skip: skippedWithout('ipfs'),
    async makePlace() {
      starting ??= startKubo({ after: (hook) => hooks.push(hook) }, count).then((nodes) => nodes.map(({ api }) => api));
      const apis = await starting;
      await emptyKubo(apis);
      return { kind: 'kubo', apis };
    },
    collectGarbage: async (place) => (place.kind === 'kubo' ? collectGarbage(place.apis) : undefined),
  });
}
