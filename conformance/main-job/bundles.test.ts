/** A hospital pushes what it has: every bundle goes in, and every resource comes back as it was written. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bundle } from '@medplum/fhirtypes';
import type { Answer, FhirClient } from '../support/fhir-client.ts';
import { sharedBundles, sharedBundlesAbsent } from '../support/sample-data.ts';
import { until } from '../support/until.ts';
import { type ExactJson, mapReferences, parseExact } from './exact-text.ts';
import { startWorld } from './world.ts';

type Json = { readonly [key: string]: ExactJson };

/** What was sent as one entry, and where it lies now. */
interface Pushed {
  readonly resource: Json;
  /** `Type/id` */
  readonly location: string;
}

suite('bundles', { skip: sharedBundlesAbsent }, async () => {
  const world = await startWorld();
  const client = world.as('hospital-a');
  const pushed: Pushed[] = [];
  /** Where a reference of the bundles leads: by fullUrl, and by `Type?identifier=system|value`. */
  const targets = new Map<string, string>();

  test('all go in, with no failed entry', async () => {
    for (const { name, bytes } of sharedBundles()) {
      const answer = await client.post('', Buffer.from(bytes));
      assert.equal(answer.status, 200, `${name}: ${answer.text.slice(0, 2000)}`);
      take(bytes, answer, name);
    }
    assert.ok(pushed.length > 6000, `${pushed.length} resources`);
  });

  test('every resource comes back in equal source text, decimals as written', async () => {
    const stored = await readAll(client, [...new Set(pushed.map(({ resource }) => String(resource.resourceType)))]);
    for (const { resource, location } of pushed) {
      const found = stored.get(location);
      assert.ok(found !== undefined, `${location} is not there`);
      const { id, meta, ...rest } = found;
      const { id: _id, meta: sentMeta, ...sent } = resource;
      assert.equal(`${String(found.resourceType)}/${String(id)}`, location);
      const expected = mapReferences(sent, (reference) => targets.get(reference) ?? reference);
      assertSameText(withoutAnchor(rest), expected, location);
      const { versionId, lastUpdated, ...keptMeta } = meta as Json;
      assertSameText(keptMeta, sentMeta ?? {}, `${location} meta`);
      assert.deepEqual([versionId, typeof lastUpdated], ['1', 'string']);
    }
  });

  test('every reference by urn:uuid or condition was resolved', async () => {
    const stored = await readAll(client, ['Observation', 'Encounter', 'Claim']);
    for (const [location, resource] of stored) {
      mapReferences(resource, (reference) => {
        assert.match(reference, /^[A-Za-z]+\/[A-Za-z0-9.-]{1,64}$|^#/, location);
        return reference;
      });
    }
  });

  test('the log has one version leaf for each version row, and all get anchored', async () => {
    await until('everything is anchored', async () => {
      const [open] = await world.rows<{ pending: string }>(`select
        (select count(*) from leaf_pending where version_id is not null) +
        (select count(*) from leaf l where l.version_id is not null and not exists (
          select from batch b where b.institution = l.institution and b.log = l.log and b.size > l.number
            and b.anchored_at is not null)) as pending`);
      return open?.pending === '0';
    });
    const [counts] = await world.rows(`select
      (select count(*) from resource_version) as versions,
      (select count(*) from leaf where version_id is not null) as leaves,
      (select count(distinct version_id) from leaf) as "leavesOfDifferentVersions",
      (select count(*) from leaf l join resource_version v on v.id = l.version_id and v.leaf_hash = l.hash) as matching,
      (select count(*) from leaf l where log = 1) as numbered,
      (select max(size) from batch where log = 1) as anchored`);
    const [versions] = Object.values(counts as Readonly<Record<string, string>>);
    assert.ok(Number(versions) > 6000);
    for (const [what, count] of Object.entries(counts as object)) assert.equal(count, versions, what);
  });

  function take(bytes: Uint8Array, answer: Answer, name: string): void {
    const sent = parseExact(Buffer.from(bytes).toString('utf8')) as { entry: { fullUrl: string; resource: Json }[] };
    const answered = answer.json<Bundle>().entry ?? [];
    assert.equal(answered.length, sent.entry.length, name);
    for (const [index, { fullUrl, resource }] of sent.entry.entries()) {
      const { status = '', location = '' } = answered[index]?.response ?? {};
      assert.match(status, /^20[01]$/, `${name} entry ${index}: ${JSON.stringify(answered[index])}`);
      const target = location.replace(/\/_history\/.*$/, '');
      targets.set(fullUrl, target);
      for (const { system, value } of (resource.identifier ?? []) as { system?: string; value?: string }[]) {
        targets.set(`${String(resource.resourceType)}?identifier=${system}|${value}`, target);
      }
      // An entry that was there already is what was pushed first.
      if (status === '201') pushed.push({ resource, location: target });
    }
  }
});

/** A Provenance tells its anchor state when it is read. */
function withoutAnchor(resource: Json): Json {
  if (resource.resourceType !== 'Provenance') return resource;
  const kept = ((resource.extension ?? []) as Json[]).filter(({ url }) => url !== ANCHOR);
  const { extension: _, ...rest } = resource;
  return kept.length === 0 ? rest : { ...resource, extension: kept };
}

const ANCHOR = 'https://medseal.org/fhir/StructureDefinition/anchor';

/** Of long texts only what is around the first difference is shown. */
function assertSameText(actual: ExactJson, expected: ExactJson, what: string): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one === other) return;
  const at = [...one].findIndex((character, index) => character !== other[index]);
  const around = (text: string) => text.slice(Math.max(0, at - 80), at + 80);
  assert.fail(`${what} differs: ${around(one)} instead of ${around(other)}`);
}

/** All resources of the types, by `Type/id`, page by page. */
async function readAll(client: FhirClient, types: readonly string[]): Promise<ReadonlyMap<string, Json>> {
  const found = new Map<string, Json>();
  for (const type of types) {
    let path: string | undefined = `${type}?_count=500`;
    while (path !== undefined) {
      const answer: Answer = await client.get(path);
      assert.equal(answer.status, 200, answer.text);
      const bundle = parseExact(answer.text) as {
        entry?: { resource: Json }[];
        link: { relation: string; url: string }[];
      };
      for (const { resource } of bundle.entry ?? []) found.set(`${type}/${String(resource.id)}`, resource);
      const next = bundle.link.find(({ relation }) => relation === 'next')?.url;
      path = next === undefined ? undefined : next.slice(new URL(next).origin.length);
    }
  }
  return found;
}
