/** HARD-CASES 14 to 18 on a real channel: a server that dies between its database and the ledger; docs/crash-points.md. */
import { skippedWithout } from '../support/engines.ts';
import { testNetwork } from '../support/test-network.ts';
import { drillSuite } from './drill-suite.ts';
import { TRAIL_POINTS } from './points.ts';

/** Where the content store has no part in it. */
const POINTS = TRAIL_POINTS.filter(({ point }) => /^(batch|anchor)-/.test(point));

drillSuite(
  'crash points of an anchor on a channel',
  POINTS.map((point) => ({ ...point, brief: point.point.startsWith('anchor') ? ['kill', 'timeout'] : ['kill'] })),
  {
    skip: skippedWithout('peer'),
    async surroundings(test) {
      const network = await testNetwork('raft');
      test.after(() => network.close());
      const file = network.network.clientConfigFile(network.organisation('hospital-a'));
      return { MEDSEAL_FABRIC: file };
    },
  },
);
