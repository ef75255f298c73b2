import assert from 'node:assert/strict';
import { test } from 'node:test';
import { institutionsNamed, requestContext } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { silentLogger } from '../logger.ts';
import { createNames } from '../repository/names.ts';
import type { PermittedReader, PermittedRow } from '../repository/permitted.ts';
import type { RecordOpener } from '../repository/records.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { createGuardedReader } from './guarded-reader.ts';
import { createPrincipalResolver } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);

/** A search, and what it loads. */
function searching() {
  const institutions = institutionsNamed('a');
  const names = createNames({ institutions, identities: createIdentities(SECRET), publicUrl: 'https://node' });
  const loaded: { keys: readonly string[]; consents?: readonly bigint[] }[] = [];
  const guarded = createGuardedReader({
    reader: {} as PermittedReader,
    opener: {
      async loadKeys(rows: readonly Pick<PermittedRow, 'envelope'>[]) {
        loaded.push({ keys: rows.map(({ envelope }) => envelope) });
      },
    } as unknown as RecordOpener,
    consents: {
      async load(consents) {
        loaded.push({ keys: [], consents });
        return [];
      },
    },
    principals: createPrincipalResolver({ institutions, names, tokenizer: createTokenizer(SECRET) }),
    facts: createFactsReader(createSearchRegistry(), names),
    names,
    logger: silentLogger,
  });
  const context = requestContext('system/*.rs', { institution: 'a', purposes: ['TREAT'] });
  return { search: guarded.search(context, 'Observation'), loaded };
}

test('the keys of many records are loaded at once, then the consents that are sealed under them', async () => {
  const { search, loaded } = searching();
  await search.ahead([
    { envelope: 'x', consents: [1n] },
    { envelope: 'y', consents: [2n, 1n] },
    { envelope: 'z', consents: [] },
  ]);
  assert.deepEqual(loaded, [{ keys: ['x', 'y', 'z'] }, { keys: [], consents: [1n, 2n] }]);
});

test('what is one loads itself, and rows that are only sorted have no consents', async () => {
  const { search, loaded } = searching();
  await search.ahead([{ envelope: 'x', consents: [1n, 2n] }]);
  assert.deepEqual(loaded, []);
  await search.ahead([{ envelope: 'x' }, { envelope: 'y' }]);
  assert.deepEqual(loaded, [{ keys: ['x', 'y'] }]);
});
