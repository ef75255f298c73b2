import { after } from 'node:test';
import { collectGarbage, emptyKubo, kuboAbsent, kuboVersion, startKubo } from '../support/kubo.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { contentStoreContract } from './content-store-contract.ts';

contentStoreContract({
  name: 'car',
  makePlace: async () => ({ kind: 'car', directory: await temporaryDirectory() }),
});

for (const count of [1, 3]) {
  let starting: Promise<readonly string[]> | undefined;
  const hooks: (() => Promise<void>)[] = [];
  // Those of a node that is started inside a test would end it with that test.
  after(async () => {
    for (const hook of hooks) await hook();
  });
  contentStoreContract({
    name: `kubo ${kuboVersion()}, ${count === 1 ? 'one node' : `${count} nodes`}`,
    skip: kuboAbsent,
    async makePlace() {
      starting ??= startKubo({ after: (hook) => hooks.push(hook) }, count).then((nodes) => nodes.map(({ api }) => api));
      const apis = await starting;
      await emptyKubo(apis);
      return { kind: 'kubo', apis };
    },
    collectGarbage: async (place) => (place.kind === 'kubo' ? collectGarbage(place.apis) : undefined),
  });
}
