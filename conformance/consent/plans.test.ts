import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Client } from 'pg';
import { compartmentResourceTypes } from '../../src/fhir/definitions/compartments.ts';
import { compartmentTokens } from '../../src/interactions/search/target.ts';
import { silentLogger } from '../../src/logger.ts';
import { createCommonTokens } from '../../src/repository/common-tokens.ts';
import type { Criterion } from '../../src/repository/criteria.ts';
import { createPermittedReader, type PermittedReader, type PrincipalSettings } from '../../src/repository/permitted.ts';
import { tokenForm } from '../../src/sealing/blind-index/forms.ts';
import { parameterKey } from '../../src/sealing/blind-index/resource-tokens.ts';
import { createSources } from '../../src/sealing/blind-index/sources.ts';
import { selfToken } from '../../src/sealing/identity.ts';
import type { Database } from '../../src/storage/database/port.ts';
import { explain, explainKept, type Plan, planNodes } from '../support/explain.ts';
import { crowdCode, writeCrowd } from './crowd.ts';
import { contextOf, createWorld, type World } from './world.ts';

const PATIENTS = 2000;
const COPIES = 9;

/** Copies of every Observation: a row is a row, whoever made it. */
const MULTIPLY = `
with copy as (
  insert into resource_version
    (institution, type, id_token, version, interaction, at, patients, facets, sealed, digest, envelope, leaf_hash)
  select institution, type, gen_random_uuid(), 1, interaction, at + n * interval '1 minute', patients, facets, sealed,
    digest, envelope, leaf_hash
  from resource_version, generate_series(1, ${COPIES}) as n where type = 'Observation'
  returning id, id_token, at, leaf_hash
)
insert into resource_current
  (self, id_token, version_id, institution, type, version, at, deleted, tokens, traits, readers)
select ('x' || left(replace(copy.id_token::text, '-', ''), 16))::bit(64)::bigint, copy.id_token, copy.id, c.institution,
  c.type, 1, copy.at, false, c.tokens, c.traits, c.readers
from copy
join resource_version v on v.leaf_hash = copy.leaf_hash
join resource_current c on c.version_id = v.id`;

/** One half of the patients of whom nobody knows, and who they are merged with. */
const MERGED = [0, 1].map((half) => Array.from({ length: 500 }, (_, index) => PATIENTS - 1 - 2 * index - half));

/** A database that takes down what it is asked as the reader. */
function recording(database: Database) {
  const asked: { text: string; values: readonly unknown[]; settings: Readonly<Record<string, string>> }[] = [];
  const recorder: Database = {
    ...database,
    transaction: (role, work, options) =>
      database.transaction(
        role,
        (sql) =>
          work({
            query(text, values = []) {
              asked.push({ text, values, settings: options?.settings ?? {} });
              return sql.query(text, values);
            },
          }),
        options,
      ),
  };
  return { recorder, asked };
}

/** Makes rows so dear that PostgreSQL asks every index that it can before, as it does of itself among many more. */
const EVERY_INDEX = { cpu_tuple_cost: '100', cpu_index_tuple_cost: '0' };

describe('plans', async () => {
  const world = await createWorld({ after }, ['hospital-a', 'hospital-b', 'research']);
  await writeCrowd(world, {
    institution: 'hospital-a',
    patients: PATIENTS,
    records: 1,
    consented: 500,
    grantee: 'research',
  });
  const superuser = new Client({ connectionString: world.recordsUrl });
  await superuser.connect();
  await superuser.query(MULTIPLY);
  await superuser.query(
    'select link_patient(one, array[other], $3) from unnest($1::uuid[], $2::uuid[]) as p (one, other)',
    [...MERGED.map((half) => half.map((index) => world.names.idToken(`hospital-a/Patient/p${index}`))), 1],
  );
  await superuser.query('vacuum analyze');
  await superuser.end();
  const { recorder, asked } = recording(world.database);
  const reader = createPermittedReader(recorder, createCommonTokens(world.database, silentLogger, Date.now));
  const questions = questionsOf(world);

  for (const [who, principal] of principalsOf(world)) {
    for (const { what, ask, through, few = false } of questions) {
      test(`${who}: ${what}`, async () => {
        asked.length = 0;
        await ask(reader, principal);
        const [query] = asked;
        assert.ok(query !== undefined);
        if (few) {
          const { text, values, settings } = query;
          const plan = await explainKept(world.database, 'reader', { ...settings, ...EVERY_INDEX }, text, values);
          const byTime = planNodes(plan).filter((node) => node['Index Name'] === 'resource_current_by_time');
          assert.deepEqual(byTime, [], `all of a type are looked through: ${shown(plan)}`);
        }
        for (const planned of [explain, explainKept]) {
          const plan = await planned(world.database, 'reader', query.settings, query.text, query.values);
          assertIndexed(plan);
          if (query.text.includes('merges')) {
            const merges = planNodes(plan).filter((node) => node['Index Name'] === 'patient_merge_pkey');
            assert.equal(merges.length, 2, shown(plan));
          }
          if (through === undefined) continue;
          assert.ok(
            planNodes(plan).some((node) => node['Index Name'] === through),
            `${planned.name}: not through ${through}: ${shown(plan)}`,
          );
        }
      });
    }
  }

  test('a long page of all there are is read in their order, not sorted out of all', async () => {
    asked.length = 0;
    const institution = world.institutions.find('hospital-a')?.id;
    const [, custodian] = principalsOf(world)[0] ?? [];
    assert.ok(custodian !== undefined);
    const page = { limit: 1001, descending: false, beyond: undefined };
    await reader.search(custodian, { type: 'Observation', institution, criterion: { kind: 'all', of: [] } }, page);
    const [query] = asked;
    assert.ok(query !== undefined);
    const plan = await explain(world.database, 'reader', query.settings, query.text, query.values);
    assert.ok(
      planNodes(plan).some((node) => node['Index Name'] === 'resource_current_by_time'),
      shown(plan),
    );
  });

  test('there are as many rows as it takes', async () => {
    const [row] = await world.database.query<{ rows: bigint }>(
      'writer',
      'select count(*) as rows from resource_current',
    );
    assert.ok((row?.rows ?? 0n) >= 20_000n, `${row?.rows}`);
  });
});

/** No table is read from end to end, and a patient's rules are found by the patient. */
function assertIndexed(plan: Plan): void {
  const nodes = planNodes(plan);
  const scans = nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
  assert.deepEqual(scans, [], shown(plan));
  const rules = nodes.filter((node) => node['Index Name']?.startsWith('consent_rule'));
  assert.ok(rules.length > 0, shown(plan));
  for (const rule of rules) assert.match(rule['Index Name'] ?? '', /^consent_rule_(by_patient|denies)$/);
}

function shown(plan: Plan): string {
  return planNodes(plan)
    .map((node) => [node['Node Type'], node['Relation Name'], node['Index Name']].filter(Boolean).join(' '))
    .join('; ');
}

function principalsOf(world: World): readonly (readonly [string, PrincipalSettings])[] {
  const settings = (institution: string, purpose: string) => {
    const context = contextOf({ institution, scopes: 'system/*.rs', purposes: [purpose] });
    return world.principals.settings(context, world.principals.accessRequest(context, 'read', 's'));
  };
  return [
    ['the custodian', settings('hospital-a', 'TREAT')],
    ['whom a quarter of the patients permit', settings('research', 'HRESCH')],
    ['whom nobody permits', settings('hospital-b', 'TREAT')],
  ];
}

interface Question {
  readonly what: string;
  ask(reader: PermittedReader, principal: PrincipalSettings): Promise<unknown>;
  /** An index that must be used. */
  readonly through?: string;
  /** Whether there is a criterion that few rows meet, so that the index of all rows of a type must not be used. */
  readonly few?: boolean;
}

function questionsOf(world: World): readonly Question[] {
  const institution = world.institutions.find('hospital-a')?.id;
  const token = (type: string, code: string, system: string, value: string): Criterion => {
    const parameter = world.registry.searchParametersOf(type).get(code);
    assert.ok(parameter !== undefined);
    return { kind: 'every', tokens: [world.tokenizer.token(parameterKey(parameter), tokenForm(system, value))] };
  };
  const [system = '', code = ''] = crowdCode(5).split('|');
  const frequent = token('Observation', 'code', system, code);
  const rare = token('Patient', 'identifier', 'urn:crowd', 'p7');
  const subject = world.registry.searchParametersOf('Observation').get('subject');
  assert.ok(subject !== undefined && institution !== undefined);
  const mask = world.tokenizer.mask(parameterKey(subject));
  const page = { limit: 20, descending: false, beyond: undefined };
  const search = (type: string, criterion: Criterion, more: Partial<typeof page> = {}) => ({
    ask: (reader: PermittedReader, principal: PrincipalSettings) =>
      reader.search(principal, { type, institution, criterion }, { ...page, ...more }),
  });
  const patient = world.names.idToken('hospital-a/Patient/p7');
  const observation = world.names.idToken('hospital-a/Observation/o7-0');
  // Of a patient: ten of 20,000.
  const ofOne: Criterion = { kind: 'every', tokens: [(selfToken(patient) ^ mask).toString()] };
  const ofOneAndFrequent: Criterion = { kind: 'all', of: [ofOne, frequent] };
  const members = compartmentResourceTypes('Patient');
  const compartment: Criterion = {
    kind: 'some',
    tokens: compartmentTokens({ ...world, sourcesOf: createSources() }, 'Patient', members, [patient]),
  };
  const all: Criterion = { kind: 'all', of: [] };
  const history = {
    institution,
    type: undefined,
    idToken: observation,
    since: undefined,
    before: undefined,
    limit: 20,
  };
  return [
    { what: 'read', ask: (reader, principal) => reader.current(principal, patient), through: 'resource_current_pkey' },
    { what: 'vread', ask: (reader, principal) => reader.version(principal, observation, 1) },
    { what: 'rows by their numbers', ask: (reader, principal) => reader.rows(principal, [1n, 2n, 3n]) },
    { what: 'history of one', ask: (reader, principal) => reader.history(principal, history) },
    { what: 'search by a rare token', ...search('Patient', rare), through: 'resource_current_tokens' },
    {
      what: 'search by a reference',
      ...search('Observation', ofOne, { limit: 51 }),
      through: 'resource_current_tokens',
    },
    { what: 'search by a frequent token', ...search('Observation', frequent) },
    {
      what: 'sort keys of what one has of a frequent code',
      ask: (reader, principal) =>
        reader.sortRows(principal, { type: 'Observation', institution, criterion: ofOneAndFrequent }, 10_001),
      through: 'resource_current_tokens',
    },
    {
      what: 'what is included, by id tokens',
      ask: (reader, principal) =>
        reader.search(
          principal,
          { type: undefined, institution: undefined, criterion: { kind: 'ids', idTokens: [patient, observation] } },
          { ...page, limit: 250 },
        ),
      through: 'resource_current_pkey',
    },
    {
      what: 'a compartment',
      ask: (reader, principal) =>
        reader.search(principal, { type: undefined, institution, criterion: compartment }, { ...page, limit: 1001 }),
      through: 'resource_current_tokens',
    },
    { what: 'search without criteria', ...search('Observation', all) },
    { what: 'search without criteria, newest first', ...search('Observation', all, { descending: true }) },
    {
      what: 'chain',
      ...search('Observation', { kind: 'refers-to', mask, type: 'Patient', target: rare }),
      through: 'resource_current_tokens',
      few: true,
    },
    {
      what: 'chain to one of whom a frequent code is asked',
      ...search('Observation', {
        kind: 'all',
        of: [{ kind: 'refers-to', mask, type: 'Patient', target: rare }, frequent],
      }),
      through: 'resource_current_tokens',
      few: true,
    },
    {
      what: '_has',
      ...search('Patient', { kind: 'referred-by', mask, type: 'Observation', source: frequent }),
      through: 'resource_current_tokens',
    },
    {
      what: 'count by a token',
      ask: (reader, principal) => reader.count(principal, { type: 'Observation', institution, criterion: frequent }),
      through: 'resource_current_tokens',
    },
  ];
}
