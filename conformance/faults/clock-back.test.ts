/**
 * HARD-CASES 29: the clock runs ahead by a random time and is then set back. Versions stay in the order in which they
 * were written, times never fall, and a consent that has ended does not come back to life.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bundle } from '@medplum/fhirtypes';
import { researchConsent } from '../../src/demo/consent.ts';
import { randomOf, seed } from '../support/seed.ts';
import { startTestNode, type TestNode } from '../support/test-node.ts';
import { accepted, clientOf, observation, patient } from './node-records.ts';
import { onRecords, untilAnchored } from './records-database.ts';
import { scrubFindings } from './scrub.ts';

const MODES = ['restart', 'kill', 'running'] as const;
const DAY = 86_400_000;
const VERSIONS = 3;

for (const mode of MODES) {
  test(`the clock is set back: ${mode}`, async (t) => {
    const random = randomOf(seed(t).seed);
    const ahead = (2 + random.integer(30)) * DAY;
    const back = random.integer(60) * DAY;
    const node = await startTestNode(t);
    const hospital = () => clientOf(node, 'hospital-a');
    const research = () => clientOf(node, 'research-institute');
    await shiftableClock(node);
    await node.restart();
    await accepted(hospital().put('Patient/p', patient('p', '一')));
    const consent = researchConsent('c', 'p', 'active', '2026-01-01T00:00:00Z');
    const end = new Date(Date.now() + ahead / 2).toISOString();
    await accepted(
      clientOf(node, 'patient:p').put('Consent/c', {
        ...consent,
        provision: { ...consent.provision, period: { end } },
      }),
    );
    assert.equal((await research().get('Patient/p')).status, 200, 'before its end');

    await shift(node, ahead);
    await node.restart();
    assert.equal((await research().get('Patient/p')).status, 404, 'after its end');
    for (let value = 1; value <= VERSIONS; value++) {
      await accepted(hospital().put('Observation/o', observation('o', 'Patient/p', value)));
    }
    await shift(node, -back);
    if (mode === 'kill') await node.kill9();
    if (mode !== 'running') await node.restart();
    assert.equal((await research().get('Patient/p')).status, 404, 'its end has been');
    for (let value = VERSIONS + 1; value <= 2 * VERSIONS; value++) {
      await accepted(hospital().put('Observation/o', observation('o', 'Patient/p', value)));
    }

    const { entry = [] } = (await hospital().get('Observation/o/_history')).json<Bundle>();
    const versions = entry.map(({ resource }) => Number(resource?.meta?.versionId));
    assert.deepEqual(versions, [6, 5, 4, 3, 2, 1]);
    assertNeverFalls(entry.map(({ resource }) => resource?.meta?.lastUpdated ?? '').toReversed());
    await untilAnchored(node);
    const leaves = await onRecords<{ id: string; at: Date }>(
      node,
      'select v.id, v.at from leaf l join resource_version v on v.id = l.version_id order by l.number',
    );
    assertNeverFalls(leaves.map(({ at }) => at.toISOString()));
    const batches = await onRecords<{ at: Date }>(
      node,
      'select sealed_at as at from batch where log = 1 order by size',
    );
    assertNeverFalls(batches.map(({ at }) => at.toISOString()));
    assert.deepEqual(await scrubFindings(node), []);
  });
}

/** PostgreSQL's clock, for this database alone, with a shift that can be set. */
async function shiftableClock(node: TestNode): Promise<void> {
  await onRecords(
    node,
    `create table clock_shift (by interval not null);
     insert into clock_shift values ('0');
     grant select on clock_shift to public;
     create function public.clock_timestamp() returns timestamptz language sql volatile
       as 'select pg_catalog.clock_timestamp() + by from public.clock_shift'`,
  );
  const [row] = await onRecords<{ name: string }>(node, 'select current_database() as name');
  await onRecords(node, `alter database ${row?.name} set search_path = public, pg_catalog`);
}

async function shift(node: TestNode, milliseconds: number): Promise<void> {
  await onRecords(node, `update clock_shift set by = $1::float8 * interval '1 millisecond'`, [milliseconds]);
}

/** RFC 3339 in UTC, which sorts as text. */
function assertNeverFalls(times: readonly string[]): void {
  assert.ok(times.length > 0);
  assert.deepEqual(times, times.toSorted());
}
