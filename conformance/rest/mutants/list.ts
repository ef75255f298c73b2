/** Prints the ids of all cases of the suite as JSON, without asking any server. */
import { fileURLToPath } from 'node:url';
import { runAreas } from '../areas.ts';
import { casesOf } from './record.ts';

const suite = fileURLToPath(new URL('../rest.test.ts', import.meta.url));
process.stdout.write(JSON.stringify(casesOf(await runAreas(suite, { ...process.env, MEDSEAL_REST_LIST: '1' }))));
