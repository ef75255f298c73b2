import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Consent, Resource } from '@medplum/fhirtypes';
import { institutionsNamed, NOW, requestContext } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { silentLogger } from '../logger.ts';
import { createNames } from '../repository/names.ts';
import type { HistoryPlan, PermittedReader, PermittedRow } from '../repository/permitted.ts';
import type { RecordOpener } from '../repository/records.ts';
import { UNKNOWN_SUBJECT } from '../repository/write.ts';
import type { RequestContext } from '../request-context.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { consentNames, type StoredPolicy } from './consent-store.ts';
import { createGuardedReader, hasScope, MAX_PAGE_BYTES } from './guarded-reader.ts';
import { parseConsent } from './parse-consent.ts';
import { createPrincipalResolver } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);
const institutions = institutionsNamed('a', 'b');
const names = createNames({ institutions, identities: createIdentities(SECRET), publicUrl: 'https://node' });
const facts = createFactsReader(createSearchRegistry(), names);
const principals = createPrincipalResolver({ institutions, names, tokenizer: createTokenizer(SECRET) });
const [ANNA, BERT] = ['a/Patient/anna', 'a/Patient/bert'].map((one) => names.idToken(one)) as [string, string];

/** One version as the database shows it; its content is found by its row. */
interface Version {
  readonly content?: Resource;
  readonly id?: string;
  readonly version?: number;
  /** As stored, which a damaged database may have otherwise than the content tells. */
  readonly patients?: readonly string[];
  readonly consents?: readonly bigint[];
  /** Bytes of content beside the resource. */
  readonly padding?: number;
}

const observation = (subject: object = { reference: 'Patient/anna' }): Resource =>
  ({ resourceType: 'Observation', id: 'o', status: 'final', code: {}, subject }) as Resource;

function consent(effect: 'permit' | 'deny', more: Partial<Consent> = {}): StoredPolicy {
  const of = { reference: 'Patient/anna' };
  const terminology = 'http://terminology.hl7.org/CodeSystem';
  const written: Consent = {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: `${terminology}/consentscope`, code: 'patient-privacy' }] },
    category: [],
    patient: of,
    provision: {
      type: effect,
      class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
      ...more.provision,
    },
  };
  return { ...parseConsent(written, consentNames(names, 'a', 'c', 3)), versionId: 1n };
}

interface Stored {
  readonly versions?: readonly Version[];
  readonly policies?: readonly StoredPolicy[];
  /** Milliseconds that the database answers later. */
  readonly later?: number;
}

/** A reader over a database that shows everything. */
function readerOf({ versions = [{ content: observation() }], policies = [], later = 0 }: Stored = {}) {
  const rows = versions.map(
    ({ content, version = 1, patients = [ANNA], consents = policies.map(({ versionId }) => versionId) }, index) => ({
      versionId: BigInt(index),
      institution: 1,
      type: 'Observation',
      idToken: names.idToken('a/Observation/o'),
      version,
      interaction: content === undefined ? 'delete' : 'create',
      patients,
      consents,
      merges: [],
      leafHash: Buffer.of(index),
    }),
  ) as unknown as readonly PermittedRow[];
  const asked: unknown[] = [];
  const disagreements: object[] = [];
  const reader = {
    current: async ({ instant }: { instant: number }, idToken: string) => {
      asked.push(idToken);
      return { row: rows.at(-1), instant: instant + later };
    },
    version: async (_settings: unknown, _idToken: string, version: number) =>
      rows.find((row) => row.version === version),
    history: async () => rows,
    search: async (...all: unknown[]) => asked.push(all) && rows,
    sortRows: async (_settings: unknown, _plan: unknown, limit: number) => rows.slice(0, limit),
    rows: async (_settings: unknown, ids: readonly bigint[]) => rows.filter(({ versionId }) => ids.includes(versionId)),
    count: async () => rows.length,
  } as unknown as PermittedReader;
  const opener = {
    open: async (row: PermittedRow) => {
      const { content, id = 'o', padding = 0 } = versions[Number(row.versionId)] as Version;
      const text = content === undefined ? undefined : Buffer.from(JSON.stringify(content) + ' '.repeat(padding));
      return { row, id, institution: 'a', content: text };
    },
    leafSecrets: async (row: PermittedRow) => ({ of: row.versionId }),
    sortKeys: async (row: PermittedRow) => ({ of: row.versionId }),
  } as unknown as RecordOpener;
  const guarded = createGuardedReader({
    reader,
    opener,
    consents: {
      load: async (ids) => {
        assert.notEqual(ids.length, 0, 'nothing is loaded where there is nothing');
        return policies;
      },
    },
    principals,
    facts,
    names,
    logger: { ...silentLogger, error: (fields) => void disagreements.push(fields) },
    onDisagreement: () => void disagreements.push({}),
  });
  return { guarded, asked, disagreements };
}

function contextOf(institution = 'a', scope = 'system/*.rs', base?: RequestContext['base']): RequestContext {
  return requestContext(scope, { institution, purposes: ['TREAT'] }, base);
}

const NOT_FOUND = { code: 'not-found' };
const FORBIDDEN = { code: 'forbidden' };
const DELETED: Version = { version: 2 };

describe('a read', () => {
  test('shows what both locks permit, and is taken down', async () => {
    const { guarded, disagreements, asked } = readerOf();
    const context = contextOf();
    const { resource, patients, id } = await guarded.read(context, 'Observation', 'o');
    assert.deepEqual([resource, patients, id], [observation(), ['a/Patient/anna'], 'o']);
    assert.deepEqual(asked, [names.idToken('a/Observation/o')]);
    assert.deepEqual(context.journal.entries, [
      { institution: 1, name: 'a/Observation/o/_history/1', leafHash: Buffer.of(0), patients: ['a/Patient/anna'] },
    ]);
    assert.deepEqual(disagreements, []);
  });

  test('shows nothing that the second lock denies, and is loud about it', async () => {
    for (const [institution, policies] of [
      ['a', [consent('deny')]],
      ['b', []],
    ] as const) {
      const { guarded, disagreements } = readerOf({ policies });
      const context = contextOf(institution);
      await assert.rejects(guarded.read(context, 'Observation', 'o'), NOT_FOUND);
      assert.deepEqual(context.journal.entries, []);
      assert.equal(disagreements.length, 2, 'counted, and logged');
      assert.partialDeepStrictEqual(disagreements[1], { code: 'locks-disagree', versionRow: '0' });
      assert.ok(!JSON.stringify(disagreements).includes('anna'));
    }
  });

  test('decides by the instant at which the database did', async () => {
    const end = new Date(NOW + 500).toISOString();
    const policies = [consent('permit', { provision: { period: { end } } })];
    await readerOf({ policies }).guarded.read(contextOf('b'), 'Observation', 'o');
    await assert.rejects(
      readerOf({ policies, later: 1000 }).guarded.read(contextOf('b'), 'Observation', 'o'),
      NOT_FOUND,
    );
  });

  test('shows nothing that is stored with other patients than it tells', async () => {
    for (const patients of [[], [BERT], [ANNA, BERT], [UNKNOWN_SUBJECT]]) {
      const { guarded, disagreements } = readerOf({ versions: [{ content: observation(), patients }] });
      await assert.rejects(guarded.read(contextOf(), 'Observation', 'o'), NOT_FOUND);
      assert.equal(disagreements.length, 2);
    }
    const versions = [{ content: observation({ display: 'x' }), patients: [UNKNOWN_SUBJECT] }];
    const context = contextOf();
    await readerOf({ versions }).guarded.read(context, 'Observation', 'o');
    assert.deepEqual(context.journal.entries[0]?.patients, [], 'nobody is known');
  });

  test('needs the scope, one base, and something that is there', async () => {
    const { guarded } = readerOf();
    await assert.rejects(guarded.read(contextOf('a', 'system/Patient.rs'), 'Observation', 'o'), FORBIDDEN);
    await assert.rejects(guarded.read(contextOf('a', 'system/*.s'), 'Observation', 'o'), FORBIDDEN);
    await assert.rejects(guarded.read(contextOf('a', 'system/*.r', { kind: 'union' }), 'Observation', 'o'), NOT_FOUND);
    await assert.rejects(readerOf({ versions: [] }).guarded.read(contextOf(), 'Observation', 'o'), NOT_FOUND);
    assert.equal(hasScope(contextOf('a', 'system/Observation.r'), 'Observation', 'r'), true);
    assert.equal(hasScope(contextOf('a', 'system/Observation.r'), 'Observation', 's'), false);
  });

  test('evidence and sort keys are those of the row', async () => {
    const { guarded } = readerOf();
    const record = await guarded.read(contextOf(), 'Observation', 'o');
    assert.deepEqual(await guarded.leafSecrets(record), { of: 0n });
    assert.deepEqual(await guarded.search(contextOf(), 'Observation').sortKeys(record.row), { of: 0n });
  });
});

describe('what was deleted', () => {
  const versions = [{ content: observation() }, DELETED];

  test('is gone for whom its last content was permitted, and was never there for others', async () => {
    for (const [institution, code] of [
      ['a', 'gone'],
      ['b', 'not-found'],
    ] as const) {
      const { guarded } = readerOf({ versions });
      const context = contextOf(institution);
      await assert.rejects(guarded.read(context, 'Observation', 'o'), { code });
      await assert.rejects(guarded.readVersion(context, 'Observation', 'o', 2), { code });
      assert.deepEqual(context.journal.entries, []);
    }
    const { guarded } = readerOf({ versions: [DELETED] });
    await assert.rejects(guarded.read(contextOf(), 'Observation', 'o'), NOT_FOUND, 'nor where it is not to be had');
  });

  test('is a version without content where that is asked for', async () => {
    const { guarded } = readerOf({ versions });
    const { resource, patients } = await guarded.readVersion(contextOf(), 'Observation', 'o', 2, { deletions: true });
    assert.deepEqual([resource, patients], [undefined, []]);
    const asB = guarded.readVersion(contextOf('b'), 'Observation', 'o', 2, { deletions: true });
    await assert.rejects(asB, NOT_FOUND);
  });
});

describe('a version', () => {
  test('needs the scope, one base, and is there', async () => {
    const { guarded } = readerOf();
    assert.deepEqual((await guarded.readVersion(contextOf(), 'Observation', 'o', 1)).resource, observation());
    await assert.rejects(guarded.readVersion(contextOf(), 'Observation', 'o', 2), NOT_FOUND);
    await assert.rejects(guarded.readVersion(contextOf('a', 'system/*.s'), 'Observation', 'o', 1), FORBIDDEN);
    const union = contextOf('a', 'system/*.r', { kind: 'union' });
    await assert.rejects(guarded.readVersion(union, 'Observation', 'o', 1), NOT_FOUND);
  });
});

describe('a history', () => {
  const plan = (idToken?: string) => ({ idToken }) as unknown as HistoryPlan;
  const shown = async (stored: Stored, context: RequestContext, type: string | undefined = 'Observation') =>
    (await readerOf(stored).guarded.history(context, plan('x'), type)).map(({ row }) => row.version);

  test('leaves out what is denied, and deletions of what is', async () => {
    const versions = [DELETED, { content: observation() }];
    const context = contextOf();
    assert.deepEqual(await shown({ versions }, context), [2, 1]);
    assert.deepEqual(
      context.journal.entries.map(({ name }) => name),
      ['a/Observation/o/_history/2', 'a/Observation/o/_history/1'],
    );
    const other = contextOf('b');
    assert.deepEqual(await shown({ versions }, other), []);
    assert.deepEqual(other.journal.entries, []);
    assert.deepEqual(await shown({ versions: [DELETED] }, contextOf()), []);
  });

  test('ends once it is long', async () => {
    const long: Version = { content: observation(), padding: MAX_PAGE_BYTES / 2 };
    assert.deepEqual(await shown({ versions: [long, long, long, long] }, contextOf()), [1, 1]);
    const exact = MAX_PAGE_BYTES - JSON.stringify(observation()).length;
    const versions = [{ ...long, padding: exact }, long, long];
    assert.deepEqual(await shown({ versions }, contextOf()), [1, 1], 'what fits leaves room for one more');
  });

  test('of one resource is a read, of a type or of everything a search', async () => {
    const { guarded } = readerOf();
    const [read, search] = [contextOf('a', 'system/Observation.r'), contextOf('a', 'system/Observation.s')];
    await guarded.history(read, plan('x'), 'Observation');
    await guarded.history(search, plan(), 'Observation');
    assert.equal((await guarded.history(search, plan(), undefined)).length, 1);
    await assert.rejects(guarded.history(search, plan('x'), 'Observation'), FORBIDDEN);
    await assert.rejects(guarded.history(read, plan(), 'Observation'), FORBIDDEN);
    assert.deepEqual(await guarded.history(contextOf('a', 'system/Patient.s'), plan(), undefined), []);
  });
});

describe('a search', () => {
  test('finds rows, and opens what the second lock permits', async () => {
    const { guarded, asked } = readerOf();
    const context = contextOf();
    const search = guarded.search(context, 'Observation');
    const plan = {} as Parameters<typeof search.page>[0];
    const page = { limit: 1, descending: true, beyond: undefined };
    const [row] = await search.page(plan, page);
    assert.deepEqual((asked[0] as readonly unknown[]).slice(1), [plan, page]);
    assert.deepEqual(await search.sortRows(plan, 1), [row]);
    assert.deepEqual(await search.rows([0n]), [row]);
    assert.equal(await search.count(plan), 1);
    const record = await search.open(row as PermittedRow);
    assert.deepEqual(record?.resource, observation());
    assert.deepEqual(context.journal.entries, [], 'what is not shown is not taken down');
    if (record !== undefined) search.shown(record);
    assert.equal(context.journal.entries.length, 1);
    assert.equal(await guarded.search(contextOf('b'), 'Observation').open(row as PermittedRow), undefined);
  });

  test('needs the scope', () => {
    const { guarded } = readerOf();
    assert.throws(() => guarded.search(contextOf('a', 'system/Observation.r'), 'Observation'), FORBIDDEN);
    assert.throws(() => guarded.search(contextOf('a', 'system/Patient.s'), 'Observation'), FORBIDDEN);
  });
});
