/** `npm run conformance -- --base URL --token T`: the black-box suite against any FHIR base, with a table by area. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runAreas, tableOf } from './areas.ts';
import { caseId, readKills } from './mutants/record.ts';

const USAGE = `npm run conformance -- --base URL --token TOKEN [--other-token TOKEN]

Runs the REST suite against the FHIR base at URL, and prints a table by area; a case is counted that is known to fail on a
mutant of a server (npm run conformance:mutants). It writes resources there.

--base URL           such as https://example.org/hospital-a/fhir
--token TOKEN        of a client that may read and write everything at the base
--other-token TOKEN  of another client, which may do the same; without it some cases are skipped
`;

const OPTIONS = {
  base: { type: 'string' },
  token: { type: 'string' },
  'other-token': { type: 'string' },
} as const;

function given(): { base: string; token: string; other: string | undefined } | undefined {
  try {
    const { base, token, 'other-token': other } = parseArgs({ options: OPTIONS }).values;
    return base === undefined || token === undefined ? undefined : { base: base.replace(/\/+$/, ''), token, other };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}

const options = given();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const areas = await runAreas(fileURLToPath(new URL('rest.test.ts', import.meta.url)), {
  ...process.env,
  MEDSEAL_REST_BASE: options.base,
  MEDSEAL_REST_TOKEN: options.token,
  ...(options.other === undefined ? {} : { MEDSEAL_REST_OTHER_TOKEN: options.other }),
});
const kills = readKills();
process.stdout.write(tableOf(areas, (area, name) => (kills[caseId(area, name)] ?? []).length > 0));
process.exit(areas.length > 0 && areas.every(({ failed }) => failed.length === 0) ? 0 : 1);
