/** HARD-CASES 9 to 18, on a real server with its own PostgreSQL; docs/crash-points.md has the table. */
import { drillSuite } from './drill-suite.ts';
import { TRAIL_POINTS } from './points.ts';

drillSuite('crash points of a batch', TRAIL_POINTS);
