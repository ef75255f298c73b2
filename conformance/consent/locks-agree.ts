import assert from 'node:assert/strict';
import type { Consent } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { type AccessRequest, type Decision, decide } from '../../src/consent/decide.ts';
import type { RecordFacts } from '../../src/consent/facts.ts';
import type { ConsentPolicy } from '../../src/consent/policy.ts';
import { type PrincipalSettings, settingsOf } from '../../src/repository/permitted.ts';
import { selfToken } from '../../src/sealing/identity.ts';
import { entriesOf, INSTITUTIONS, materialise, type RandomRequest, type Round, rounds } from './arbitraries.ts';
import { type OracleRequest, oraclePermits } from './oracle.ts';
import { type OracleRecord, readRecord } from './oracle-facts.ts';
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
  for (const entries of [...consents, ...records]) await world.write(entries);
  const inForce = newestOf(consents.flat());
  const policies = policiesOf(world, inForce);
  const judged = inForce.map(({ institution, resource }) => ({ institution, resource: resource as unknown as Json }));
  const versions = await versionsOf(world, records.flat());
  await Promise.all(
    round.requests.map(async (request) => {
      const [access, settings] = principalOf(world, request);
      const permitted = await permittedVersions(world, settings, versions);
      for (const version of versions) {
        const decision = decide(access, version.facts, policies);
        note(tally, decision);
        const judgement = oraclePermits(oracleRequest(request), version.read, judged, NODE);
        if (judgement !== decision.permit) {
          assert.fail(
            JSON.stringify({ oracle: judgement, decision, request, record: version.entry.resource, judged }, null, 1),
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

function policiesOf(world: World, entries: readonly Entry[]): readonly ConsentPolicy[] {
  return entries.map(({ resource, institution, version }) =>
    world.policyOf(resource as Consent & { id: string }, institution, version),
  );
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
