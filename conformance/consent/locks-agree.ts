import assert from 'node:assert/strict';
import type { Consent } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { StoredPolicy } from '../../src/consent/consent-store.ts';
import { type AccessRequest, type Decision, decide } from '../../src/consent/decide.ts';
import type { RecordFacts } from '../../src/consent/facts.ts';
import { mergedPolicies } from '../../src/consent/merges.ts';
import { type PrincipalSettings, settingsOf } from '../../src/repository/permitted.ts';
import { selfToken } from '../../src/sealing/identity.ts';
import { entriesOf, INSTITUTIONS, materialise, type RandomRequest, type Round, rounds } from './arbitraries.ts';
import { type OracleLink, type OracleRequest, oraclePermits } from './oracle.ts';
import { mergersOf, type OracleRecord, readRecord } from './oracle-facts.ts';
import { contextOf, type Entry, PUBLIC_URL, type World } from './world.ts';

/** What was compared, so that a test can tell that it was not all of one kind. */
export interface Tally {
  triples: number;
  permitted: number;
  readonly bases: Map<Decision['basis'], number>;
}

/**
 * Decides at least `triples` random (consents, record version, request) by both locks: in the database, through the
 *  views as the reader role, by `decide`, and by the oracle (oracle.ts). Records and consents go in through the real write transaction.
 *
 * @throws AssertionError with the smallest round found in which the locks differ, and the seed that repeats it
 */
export async function compareLocks(world: World, triples: number, seed: number): Promise<Tally> {
  const tally: Tally = { triples: 0, permitted: 0, bases: new Map() };
  let made = 0;
  for (let chunk = 0; tally.triples < triples; chunk++) {
    await fc.assert(
      fc.asyncProperty(rounds, async (round) => {
        made += 1;
        await compareRound(world, round, `s${seed}-${made}-`, tally);
      }),
      { seed: seed + chunk, numRuns: 8, interruptAfterTimeLimit: 120_000, markInterruptAsFailure: false },
    );
  }
  return tally;
}

async function compareRound(world: World, template: Round, mark: string, tally: Tally): Promise<void> {
  const round = materialise(template, mark);
  const consents = entriesOf(round.consents, `${mark}c`);
  const records = entriesOf(round.records, `${mark}r`);
  const later = entriesOf(round.later, `${mark}d`);
  const writes = [...consents, ...records, ...later];
  for (const entries of writes) await world.write(entries);
  const inForce = newestOf([...consents, ...later].flat());
  const policies = await policiesOf(world, inForce);
  const patients = ['p0', 'p1', 'p2', 'p3'].flatMap((id) => INSTITUTIONS.map((one) => `${one}/Patient/${mark}${id}`));
  const merged = mergedPolicies(policies, await mergesOf(world, patients), patients, world.names);
  const judged = inForce.map((entry) => ({
    institution: entry.institution,
    resource: entry.resource as unknown as Json,
    place: placeOf(writes, entry),
  }));
  const links = linksOf(writes);
  const versions = await versionsOf(world, records.flat());
  await Promise.all(
    round.requests.map(async (request) => {
      const [access, settings] = principalOf(world, request);
      const permitted = await permittedVersions(world, settings, versions);
      for (const version of versions) {
        const decision = decide(access, version.facts, merged);
        note(tally, decision);
        const judgement = oraclePermits(oracleRequest(request), version.read, judged, links, NODE);
        if (judgement !== decision.permit) {
          assert.fail(
            JSON.stringify(
              { oracle: judgement, decision, request, record: version.entry.resource, judged, links },
              null,
              1,
            ),
          );
        }
        const shown = { version: permitted.versions.has(version.id), current: permitted.current.has(version.id) };
        if (shown.version === decision.permit && shown.current === (decision.permit && version.newest)) continue;
        assert.fail(JSON.stringify({ decision, shown, request, record: version.entry.resource }, null, 1));
      }
    }),
  );
}

function note(tally: Tally, { permit, basis }: Decision): void {
  tally.triples += 1;
  if (permit) tally.permitted += 1;
  tally.bases.set(basis, (tally.bases.get(basis) ?? 0) + 1);
}

/** The newest version of each Consent, unless that is a deletion. */
function newestOf(entries: readonly Entry[]): readonly Entry[] {
  const newest = new Map(entries.map((entry) => [entry.resource.id, entry]));
  return [...newest.values()].filter((entry) => !entry.deleted);
}

/** Which of the writes, one after the other, it was part of. */
function placeOf(writes: readonly (readonly Entry[])[], entry: Entry): number {
  return writes.findIndex((entries) => entries.includes(entry));
}

async function policiesOf(world: World, entries: readonly Entry[]): Promise<readonly StoredPolicy[]> {
  const idTokenOf = ({ institution, resource }: Entry) =>
    world.names.idToken(world.names.name(institution, 'Consent', resource.id));
  const rows = await world.database.query<{ versionId: bigint; idToken: string }>(
    'writer',
    'select version_id as "versionId", consent as "idToken" from consent_current where consent = any ($1::uuid[])',
    [entries.map(idTokenOf)],
  );
  return entries.map((entry) => {
    const { resource, institution, version } = entry;
    const row = rows.find((one) => one.idToken === idTokenOf(entry));
    assert.ok(row !== undefined, 'a consent is not in force');
    return { ...world.policyOf(resource as Consent & { id: string }, institution, version), versionId: row.versionId };
  });
}

/** As the views tell it with each record. */
async function mergesOf(world: World, patients: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(patients.map((one) => world.loader.consentsOf(world.names.idToken(one))));
  return found.flatMap(({ merges }) => merges);
}

/** What each newest version of a Patient says of merges, and in which write that was first said. */
function linksOf(writes: readonly (readonly Entry[])[]): readonly OracleLink[] {
  let standing: readonly OracleLink[] = [];
  for (const [place, entries] of writes.entries()) {
    for (const { institution, resource } of entries) {
      if (resource.resourceType !== 'Patient') continue;
      const said = mergersOf(resource as unknown as Json, institution, NODE).map((one): OracleLink => {
        const known = standing.find(({ patient, other }) => patient === one.patient && other === one.other);
        return known ?? { ...one, place };
      });
      const name = `${institution}/Patient/${resource.id}`;
      standing = [...standing.filter(({ patient }) => patient !== name), ...said];
    }
  }
  return standing;
}

type Json = Readonly<Record<string, unknown>>;
const NODE = { publicUrl: PUBLIC_URL, institutions: INSTITUTIONS };

/** The request as the oracle takes it: names and scopes as text. */
function oracleRequest(request: RandomRequest): OracleRequest {
  const { principal, scope, action, instant, actingAs, represented = [], emergency } = request;
  const named = (one: { institution: string; type: string; id: string } | undefined) =>
    one && `${one.institution}/${one.type}/${one.id}`;
  const patients = (ids: readonly string[]) => ids.map((id) => `hospital-a/Patient/${id}`);
  return {
    institution: principal.institution,
    scopes: principal.scopes,
    purposes: principal.purposes,
    patient: named(principal.patient),
    user: named(principal.user),
    letter: scope,
    action,
    instant,
    actingAs,
    represented: patients(represented),
    emergency: emergency && patients(emergency),
  };
}

interface Version {
  readonly id: bigint;
  readonly idToken: string;
  readonly newest: boolean;
  readonly entry: Entry;
  readonly facts: RecordFacts;
  readonly read: OracleRecord;
}

async function versionsOf(world: World, entries: readonly Entry[]): Promise<readonly Version[]> {
  const idTokenOf = ({ institution, resource }: Entry) =>
    world.names.idToken(world.names.name(institution, resource.resourceType, resource.id));
  const rows = await world.database.query<{ id: bigint; idToken: string; version: number; newest: boolean }>(
    'writer',
    `select v.id, v.id_token as "idToken", v.version, c.version_id is not null as newest
     from resource_version v left join resource_current c on c.version_id = v.id
     where v.id_token = any ($1::uuid[])`,
    [entries.map(idTokenOf)],
  );
  return entries.map((entry) => {
    const row = rows.find((one) => one.idToken === idTokenOf(entry) && one.version === entry.version);
    assert.ok(row !== undefined, 'a version was not written');
    return {
      ...row,
      entry,
      facts: world.facts.read(entry.resource, entry.institution),
      read: readRecord(entry.resource as unknown as Json, entry.institution, NODE),
    };
  });
}

/** As authentication and the resolver make it; what only later features grant is put in by hand. */
function principalOf(world: World, request: RandomRequest): readonly [AccessRequest, PrincipalSettings] {
  const { principal, action, scope, instant, represented, emergency, actingAs } = request;
  const context = contextOf(principal, { instant, actingAs });
  const named = (ids: readonly string[] = []) => ids.map((id) => world.names.name('hospital-a', 'Patient', id));
  const resolved = world.principals.accessRequest(context, action, scope);
  const access: AccessRequest = {
    ...resolved,
    self: [...resolved.self, ...named(represented)],
    ...(emergency === undefined ? {} : { emergency: true, compartment: named(emergency) }),
  };
  return [access, world.principals.settings(context, access)];
}

async function permittedVersions(world: World, settings: PrincipalSettings, versions: readonly Version[]) {
  const seen = await world.reader.rows(
    settings,
    versions.map((version) => version.id),
  );
  const idTokens = [...new Set(versions.map((version) => version.idToken))];
  const current = await world.database.transaction(
    'reader',
    (sql) =>
      sql.query<{ id: bigint }>(
        'select version_id as id from permitted_current where self = any ($1::bigint[]) and id_token = any ($2::uuid[])',
        [idTokens.map(selfToken), idTokens],
      ),
    { settings: settingsOf(settings), pipelined: true },
  );
  return { versions: new Set(seen.map((row) => row.versionId)), current: new Set(current.map((row) => row.id)) };
}
