/** HARD-CASES 1 to 8, on a real server with its own PostgreSQL; docs/crash-points.md has the table. */
import { drillSuite } from './drill-suite.ts';
import { WRITE_POINTS } from './points.ts';

drillSuite('crash points of a write', WRITE_POINTS);
