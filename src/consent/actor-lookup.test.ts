import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { institutionsNamed } from '../../conformance/support/consent-fixtures.ts';
import { createNames } from '../repository/names.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { createActorLookup } from './actor-lookup.ts';

const SECRET = Buffer.alloc(32, 5);
const institutions = institutionsNamed('a', 'b');
const names = createNames({ institutions, identities: createIdentities(SECRET), publicUrl: 'https://node' });
const GROUP = { resourceType: 'Group', actual: true };

function lookupOf(found: readonly bigint[]) {
  const asked: unknown[][] = [];
  const lookup = createActorLookup({
    records: {
      find: async (...question: unknown[]) => {
        asked.push(question);
        return found;
      },
    } as never,
    loader: {
      versions: async (ids: readonly bigint[]) => {
        assert.notEqual(ids.length, 0, 'nothing is loaded where there is nothing');
        return ids.map((versionId) => ({ versionId }));
      },
    } as unknown as VersionLoader,
    opener: {
      open: async ({ versionId }: { versionId: bigint }) => ({
        content: Buffer.from(JSON.stringify(GROUP)),
        id: `g${versionId}`,
        institution: 'b',
      }),
    } as unknown as RecordOpener,
    institutions,
    names,
    tokenizer: createTokenizer(SECRET),
  });
  return { lookup, asked };
}

describe('records that tell as whom somebody acts', () => {
  test('are opened, and named as consents name them', async () => {
    const { lookup, asked } = lookupOf([1n, 2n]);
    const criterion = lookup.byName('a/Group/g');
    const found = await lookup.find('Group', undefined, criterion);
    assert.deepEqual(found, [
      { name: 'b/Group/g1', institution: 'b', resource: GROUP },
      { name: 'b/Group/g2', institution: 'b', resource: GROUP },
    ]);
    await lookup.find('Group', 'a', criterion);
    assert.deepEqual(
      asked.map(([type, institution]) => [type, institution]),
      [
        ['Group', undefined],
        ['Group', 1],
      ],
    );
    assert.deepEqual(await lookupOf([]).lookup.find('Group', 'a', criterion), []);
  });

  test('of more than can be told are too many: a deny by one of them would not be heard', async () => {
    const ids = Array.from({ length: 501 }, (_, index) => BigInt(index));
    const find = (found: readonly bigint[]) => {
      const { lookup, asked } = lookupOf(found);
      return lookup.find('Group', 'a', lookup.byName('a/Group/g')).then((all) => [all.length, asked[0]?.[3]]);
    };
    assert.deepEqual(await find(ids.slice(1)), [500, 501]);
    await assert.rejects(find(ids), { code: 'too-costly' });
  });

  test('name others as their own base does', () => {
    const { lookup } = lookupOf([]);
    assert.equal(lookup.nameOf('Organization/ward', 'a'), 'a/Organization/ward');
    assert.equal(lookup.nameOf('https://node/b/fhir/Organization/ward', 'a'), 'b/Organization/ward');
    for (const nothing of [undefined, 'Organization?name=x', 'https://else/fhir/Organization/ward', ' ']) {
      assert.equal(lookup.nameOf(nothing, 'a'), undefined);
    }
  });
});
