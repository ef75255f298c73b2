/**
 * What consent costs a search: the same search by code across patients, by an institute that one patient in ten permits,
 * and by a custodian of as many patients and no others. `PATIENTS=100000` for the figure; here for the answer alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import type { PrincipalSettings } from '../../src/repository/permitted.ts';
import { tokenForm } from '../../src/sealing/blind-index/forms.ts';
import { parameterKey } from '../../src/sealing/blind-index/resource-tokens.ts';
import { crowdCode, writeCrowd } from './crowd.ts';
import { contextOf, createWorld } from './world.ts';

const PATIENTS = Number(process.env.PATIENTS ?? 1000);
const CONSENTED = PATIENTS / 10;
const ROUNDS = 200;

test('a search by code among those who permit it, and among one’s own', async (t) => {
  const world = await createWorld(t, ['hospital-a', 'hospital-b', 'research']);
  const crowd = { records: 1, grantee: 'research' };
  await writeCrowd(world, { ...crowd, institution: 'hospital-a', patients: PATIENTS, consented: CONSENTED });
  await writeCrowd(world, { ...crowd, institution: 'hospital-b', patients: CONSENTED, consented: 0 });
  const superuser = new Client({ connectionString: world.recordsUrl });
  await superuser.connect();
  await superuser.query('vacuum analyze');
  await superuser.end();

  const principal = (institution: string, purpose: string): PrincipalSettings => {
    const context = contextOf({ institution, scopes: 'system/*.rs', purposes: [purpose] });
    return world.principals.settings(context, world.principals.accessRequest(context, 'read', 's'));
  };
  const parameter = world.registry.searchParametersOf('Observation').get('code');
  assert.ok(parameter !== undefined);
  const planOf = (institution: string, code: number) => {
    const [system = '', value = ''] = crowdCode(code).split('|');
    const token = world.tokenizer.token(parameterKey(parameter), tokenForm(system, value));
    const criterion = { kind: 'every', tokens: [token] } as const;
    return { type: 'Observation', institution: world.institutions.find(institution)?.id, criterion };
  };
  const page = { limit: 20, descending: false, beyond: undefined };

  /** Median milliseconds of a page, and how many match a code. */
  async function measure(institution: string, who: PrincipalSettings) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const plan = planOf(institution, round);
      const started = performance.now();
      await world.reader.search(who, plan, page);
      times.push(performance.now() - started);
    }
    const matches = await world.reader.count(who, planOf(institution, 5));
    return { median: times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0, matches };
  }

  const custodian = principal('hospital-b', 'TREAT');
  const institute = principal('research', 'HRESCH');
  await measure('hospital-b', custodian);
  const own = await measure('hospital-b', custodian);
  await measure('hospital-a', institute);
  const permitted = await measure('hospital-a', institute);
  t.diagnostic(
    `${PATIENTS} patients, ${CONSENTED} consented: by consent ${permitted.median.toFixed(2)} ms, as custodian ${own.median.toFixed(2)} ms, ` +
      `${(permitted.median / own.median).toFixed(2)} times`,
  );
  // Of each code as many, less those whose consent shuts it out.
  assert.ok(permitted.matches > 0 && permitted.matches <= own.matches, `${permitted.matches} of ${own.matches}`);
});
