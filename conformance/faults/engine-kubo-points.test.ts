/** HARD-CASES 9 to 13, with the content store on two real Kubo nodes; docs/crash-points.md has the table. */
import { skippedWithout, versionOf } from '../support/engines.ts';
import { startKubo } from '../support/kubo.ts';
import { drillSuite } from './drill-suite.ts';
import { CONTENT_POINTS } from './points.ts';

drillSuite(`crash points of a batch on Kubo ${versionOf('ipfs')}`, CONTENT_POINTS, {
  skip: skippedWithout('ipfs'),
  surroundings: async (test) => ({
    MEDSEAL_IPFS_API: (await startKubo(test, 2)).map(({ api }) => api).join(),
  }),
});
