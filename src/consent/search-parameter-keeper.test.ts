import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Resource, SearchParameter } from '@medplum/fhirtypes';
import { searchParameter } from '../../conformance/support/search-parameters.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { silentLogger } from '../logger.ts';
import type { CustomParameters, DefinedParameter } from '../repository/custom-parameters.ts';
import type { Guard } from '../repository/write.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { DatabaseError } from '../storage/database/database-error.ts';
import type { Sql } from '../storage/database/port.ts';
import type { Change } from './drafts.ts';
import { createSearchParameterKeeper } from './search-parameter-keeper.ts';

const INSTITUTION = { id: 1, name: 'a', checkReferences: false, validation: 'base', guest: false } as const;
const registry = createSearchRegistry();

function inForce(id: string, code = id): DefinedParameter {
  const { url, expression = '' } = searchParameter(id, {});
  return { id, idToken: id, searchable: true, definition: { url, code, type: 'token', base: ['Patient'], expression } };
}

function keeperOf(
  parameters: readonly DefinedParameter[],
  refresh: CustomParameters['refresh'] = async () => undefined,
) {
  const custom: CustomParameters = {
    indexed: () => registry,
    searched: () => registry,
    of: (institution) => ({ institution, revision: 7, parameters }),
    all: () => [],
    refresh,
    onChange: () => undefined,
    close: async () => undefined,
  };
  const tokenizer = createTokenizer(Buffer.alloc(32, 1));
  return createSearchParameterKeeper({ custom, registry, tokenizer, logger: silentLogger });
}

function put(id: string, more: Partial<SearchParameter> = {}): Change {
  return {
    interaction: 'update',
    type: 'SearchParameter',
    id,
    resource: searchParameter(id, more) as Resource,
    state: undefined,
  };
}

/** Whether what was required still holds at a revision. */
function holds(guards: readonly Guard[], revision: number): Promise<boolean | undefined> {
  const sql: Sql = { query: async <Row>() => [{ revision }] as Row[] };
  return Promise.resolve(guards[0]?.holds(sql));
}

describe('SearchParameters of a write', () => {
  test('are admitted as long as the set is the one that they fit beside', async () => {
    const guards = await keeperOf([inForce('other')]).require(INSTITUTION, [put('mine')]);
    assert.equal(guards.length, 1);
    assert.equal(await holds(guards, 7), true);
    assert.equal(await holds(guards, 8), false);
  });

  test('that are drafts, and other types, require nothing', async () => {
    const patient: Change = {
      interaction: 'create',
      type: 'Patient',
      id: 'p',
      resource: { resourceType: 'Patient' },
      state: undefined,
    };
    assert.deepEqual(await keeperOf([]).require(INSTITUTION, [put('mine', { status: 'draft' }), patient]), []);
  });

  test('take no code of another one, but may be put again, or take it over', async () => {
    const keeper = keeperOf([inForce('mine'), inForce('other', 'theirs')]);
    await assert.rejects(keeper.require(INSTITUTION, [put('third', { code: 'theirs' })]), {
      code: 'invalid-search-parameter',
    });
    await assert.rejects(keeper.require(INSTITUTION, [put('one', { code: 'x' }), put('two', { code: 'x' })]), {
      code: 'invalid-search-parameter',
    });
    await keeper.require(INSTITUTION, [put('third', { code: 'theirs', base: ['Group'], expression: 'Group.code' })]);
    await keeper.require(INSTITUTION, [put('mine')]);
    await keeper.require(INSTITUTION, [put('other', { status: 'retired' }), put('third', { code: 'theirs' })]);
  });

  test('are a hundred at most', async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => inForce(`p${index}`));
    await assert.rejects(keeperOf(hundred).require(INSTITUTION, [put('one-more')]), /At most 100/);
    await keeperOf(hundred).require(INSTITUTION, [put('p7', { description: 'in other words' })]);
    await keeperOf(hundred.slice(1)).require(INSTITUTION, [put('one-more')]);
  });

  test('are written even where they cannot be read again at once', async () => {
    const failing = keeperOf([], () => Promise.reject(new DatabaseError(new Error('gone'), false)));
    await failing.written(INSTITUTION, [put('mine')]);
    await assert.rejects(failing.require(INSTITUTION, [put('mine')]), DatabaseError);
  });
});
