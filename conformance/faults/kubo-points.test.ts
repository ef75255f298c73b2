/** HARD-CASES 9 to 13, with the content store on two real Kubo nodes; docs/crash-points.md has the table. */
import { kuboAbsent, kuboVersion, startKubo } from '../support/kubo.ts';
import { drillSuite } from './drill-suite.ts';
import { CONTENT_POINTS } from './points.ts';

drillSuite(`crash points of a batch on Kubo ${kuboVersion()}`, CONTENT_POINTS, {
  skip: kuboAbsent,
  surroundings: async (test) => ({
    MEDSEAL_IPFS_API: (await startKubo(test, 2)).map(({ api }) => api).join(),
  }),
});
