import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { settingsFor, VISIBILITY_INSTITUTIONS, writeVisibility } from './visibility.ts';
import { QUESTIONS } from './visibility-questions.ts';
import { contextOf, createWorld, type World } from './world.ts';

const BASE = { kind: 'institution', institution: 'hospital-a' } as const;
const hospitalB = () =>
  contextOf({ institution: 'hospital-b', scopes: 'system/*.rs', purposes: ['TREAT'] }, { base: BASE });

/** A world whose disagreements are counted. */
async function watchedWorld(t: Parameters<typeof createWorld>[0]) {
  const logged: unknown[] = [];
  let disagreements = 0;
  const logger: Logger = { ...silentLogger, error: (...told: unknown[]) => void logged.push(told[0]) };
  const world = await createWorld(t, VISIBILITY_INSTITUTIONS, { logger, onDisagreement: () => (disagreements += 1) });
  await writeVisibility(world);
  return { world, logged, disagreements: () => disagreements };
}

async function tamper(world: World, text: string, values: readonly unknown[]): Promise<void> {
  const client = new Client({ connectionString: world.recordsUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query(text, [...values]);
    assert.ok((rowCount ?? 0) > 0, 'nothing was tampered with');
  } finally {
    await client.end();
  }
}

/** What is read of one record that the database was made to permit, in every way there is to read it. */
async function assertDenied(world: World, id: string, locks: { disagreements(): number }): Promise<void> {
  const context = hospitalB();
  const { guarded, names } = world;
  const idToken = names.idToken(`hospital-a/Observation/${id}`);
  let found = locks.disagreements();
  const disagreed = (why: string) => {
    assert.ok(locks.disagreements() > found, `${why}: no disagreement was counted`);
    found = locks.disagreements();
  };
  await assert.rejects(guarded.read(context, 'Observation', id), { code: 'not-found' });
  disagreed('read');
  await assert.rejects(guarded.readVersion(context, 'Observation', id, 1), { code: 'not-found' });
  disagreed('vread');
  const institution = world.institutions.find('hospital-a')?.id ?? 0;
  const history = { institution, type: 'Observation', idToken, since: undefined, before: undefined, limit: 10 };
  assert.deepEqual(await guarded.history(context, history, 'Observation'), []);
  disagreed('history');
  const search = guarded.search(context, 'Observation');
  const plan = { type: 'Observation', institution, criterion: { kind: 'ids', idTokens: [idToken] } } as const;
  const [row] = await search.page(plan, { limit: 10, descending: false, beyond: undefined });
  assert.ok(row !== undefined, 'the first lock was not opened');
  assert.equal(await search.open(row), undefined);
  disagreed('search');
  assert.deepEqual(context.journal.entries, []);
}

test('what both locks permit is read, and nothing is counted', async (t) => {
  const { world, disagreements, logged } = await watchedWorld(t);
  assert.equal((await world.guarded.read(hospitalB(), 'Observation', 'for-b')).id, 'for-b');
  await assert.rejects(world.guarded.read(hospitalB(), 'Observation', 'shut'), { code: 'not-found' });
  assert.equal(disagreements(), 0);
  assert.deepEqual(logged, []);
});

test('a permit forged in the database opens the first lock alone', async (t) => {
  const locks = await watchedWorld(t);
  const { world, logged } = locks;
  const [question] = QUESTIONS;
  assert.ok(question !== undefined);
  const { 'medseal.readers': readers = '' } = settingsFor(world, question);
  await tamper(
    world,
    `with opened as (update resource_current set readers = readers || $2::bigint[] where id_token = $3 returning 1)
     insert into consent_rule (patient, consent, consent_version, provision, depth, permit, rank, valid_from,
       valid_until, names_emergency, conditions, readers)
     select $1, gen_random_uuid(), 1, '', 0, true, 4, '-infinity', 'infinity', false, '{}', '{}' from opened`,
    [world.names.idToken('hospital-a/Patient/none'), readers, world.names.idToken('hospital-a/Observation/none')],
  );
  await assertDenied(world, 'none', locks);
  assert.partialDeepStrictEqual(logged[0], { code: 'locks-disagree', basis: 'default' });
});

test('a deny deleted from the database leaves the second lock shut', async (t) => {
  const locks = await watchedWorld(t);
  const { world, logged } = locks;
  const patient = world.names.idToken('hospital-a/Patient/not-for-b');
  await tamper(world, 'delete from consent_rule where patient = $1 and not permit', [patient]);
  await assertDenied(world, 'not-for-b', locks);
  assert.partialDeepStrictEqual(logged[0], { code: 'locks-disagree', basis: 'consent', consentVersion: 1 });
});

test('a merge that the rules in the database were made to forget is heard by the second lock', async (t) => {
  const locks = await watchedWorld(t);
  const { world, logged } = locks;
  const [open, shut] = ['open', 'shut'].map((one) => world.names.idToken(`hospital-a/Patient/merged-${one}`));
  await tamper(world, 'update consent_rule set suspended = false where patient = $1 and suspended', [open]);
  await tamper(world, 'delete from consent_rule where patient = $1 and mirrored', [open]);
  await assertDenied(world, 'merged-open', locks);
  assert.partialDeepStrictEqual(logged[0], { code: 'locks-disagree', basis: 'consent', consentVersion: 1 });
  await tamper(world, 'delete from consent_current where patient = $1', [shut]);
  await assertDenied(world, 'merged-open', locks);
  assert.partialDeepStrictEqual(logged.at(-1), { code: 'locks-disagree', basis: 'default' });
});

test('facets that were changed in the database do not change what the record tells', async (t) => {
  const locks = await watchedWorld(t);
  const idToken = locks.world.names.idToken('hospital-a/Observation/exception-denies');
  await tamper(locks.world, `update resource_version set facets = '{}' where id_token = $1`, [idToken]);
  await assertDenied(locks.world, 'exception-denies', locks);
});

test('a record moved to another patient in the database does not open', async (t) => {
  const { world } = await watchedWorld(t);
  await tamper(world, 'update resource_version set patients = $2 where id_token = $1', [
    world.names.idToken('hospital-a/Observation/shut'),
    [world.names.idToken('hospital-a/Patient/open')],
  ]);
  await tamper(
    world,
    'update resource_current c set readers = o.readers from resource_current o where c.id_token = $1 and o.id_token = $2',
    [world.names.idToken('hospital-a/Observation/shut'), world.names.idToken('hospital-a/Observation/open')],
  );
  await assert.rejects(world.guarded.read(hospitalB(), 'Observation', 'shut'), { code: 'sealed-content-damaged' });
});

test('a consent that is gone from the database denies everything of its patient', async (t) => {
  const { world } = await watchedWorld(t);
  await tamper(world, 'delete from resource_version where id_token = $1', [
    world.names.idToken('hospital-a/Consent/open-0'),
  ]);
  await assert.rejects(world.guarded.read(hospitalB(), 'Observation', 'open'), { code: 'sealed-content-damaged' });
});
