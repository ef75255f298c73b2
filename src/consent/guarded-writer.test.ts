import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Provenance, Resource } from '@medplum/fhirtypes';
import { institutionsNamed, NOW, requestContext } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createNames } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import type {
  Guard,
  IdempotencyRecord,
  StoredAlong,
  VersionDraft,
  VersionWriter,
  WriteRequest,
} from '../repository/write.ts';
import type { Principal, RequestContext } from '../request-context.ts';
import { createSources } from '../sealing/blind-index/sources.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities, deriveKey } from '../sealing/identity.ts';
import type { AccessRow } from '../storage/trail/access.ts';
import type { ConsentWriting } from './consent-author.ts';
import { createDescriber } from './describe.ts';
import { type Change, createDrafter } from './drafts.ts';
import { createGuardedWriter } from './guarded-writer.ts';
import type { Relabelling } from './label-keeper.ts';
import { createPrincipalResolver } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);
const institutions = institutionsNamed('a', 'b');
const names = createNames({ institutions, identities: createIdentities(SECRET), publicUrl: 'https://node' });
const registry = createSearchRegistry();
const facts = createFactsReader(registry, names);
const tokenizer = createTokenizer(SECRET);
const principals = createPrincipalResolver({ institutions, names, tokenizer });
const contentKey = deriveKey(SECRET, 'content');
const describer = createDescriber({
  registry,
  registryOf: () => registry,
  names,
  facts,
  tokenizer,
  sourcesOf: createSources(),
  contentKey,
});
const [INSTITUTION] = institutions.all() as readonly [ReturnType<typeof institutions.all>[number]];
const AT = new Date(NOW).toISOString();
const FORBIDDEN = { code: 'forbidden' };
const ENTRY = { sealed: 'an entry' } as AccessRow;
const GUARD: Guard = { lock: '1', holds: async () => true };

const observation = (subject: object | undefined = { reference: 'Patient/anna' }, more: object = {}): Resource =>
  ({
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: {},
    ...(subject && { subject }),
    ...more,
  }) as Resource;

/** A writer that keeps what it is given; what is there already is `current`. */
function writerOf(current: Resource | undefined = undefined) {
  const requests: WriteRequest[] = [];
  const along: (StoredAlong | undefined)[] = [];
  const authored: ConsentWriting[] = [];
  const relabelled: Relabelling[] = [];
  const writer: VersionWriter = {
    write: async (request: WriteRequest) => {
      requests.push(request);
      const written = request.drafts.map((draft, index) => ({ draft, cid: undefined, leafHash: Buffer.of(index) }));
      along.push(await request.beforeCommit?.(written));
      return written;
    },
  };
  const searchParameters = { revision: () => 0, require: async () => [], written: async () => undefined };
  const recordings: (readonly [status: number, names: readonly string[]])[] = [];
  const drafter = createDrafter({
    describeAll: async (items) =>
      items.map(({ resource, institution, idToken, version, text }) => ({
        ...describer.describe(resource, institution, version),
        contentToken: describer.contentToken(idToken, text),
      })),
    names,
    searchParameters,
    loader: { versions: async () => (current === undefined ? [] : [{}]) } as unknown as VersionLoader,
    opener: {
      open: async () => ({ content: Buffer.from(JSON.stringify(current)) }),
    } as unknown as RecordOpener,
    facts,
  });
  const guarded = createGuardedWriter({
    writer,
    drafter,
    describer,
    institutions,
    names,
    facts,
    principals,
    authors: {
      require: async (_context, writing) => {
        authored.push(writing);
        return [GUARD];
      },
    },
    labels: { require: async (_context, relabelling) => void relabelled.push(relabelling) },
    searchParameters,
    recorder: {
      entries: async (_context, status, journal) => {
        recordings.push([status, journal.map(({ name }) => name)]);
        return [ENTRY];
      },
    },
  });
  return { guarded, requests, authored, relabelled, along, recordings };
}

function contextOf(principal: Partial<Principal> = {}, scope = 'system/*.cruds', base?: RequestContext['base']) {
  return requestContext(scope, { clientId: 'his', purposes: ['TREAT'], ...principal }, base);
}

const user = (type: string, id = 'x') => ({ user: { institution: 'a', type, id } });

function stateOf(more: Partial<CurrentState> = {}): CurrentState {
  return {
    idToken: names.idToken('a/Observation/o'),
    version: 4,
    deleted: false,
    at: '2020-01-01T00:00:00.000Z',
    leafHash: Buffer.from('previous'),
    contentToken: null,
    patients: [names.idToken('a/Patient/anna')],
    facets: [11n, -12n],
    readers: [13n],
    versionId: 9n,
    ...more,
  };
}

const create = (resource: Resource, id = resource.id ?? ''): Change => ({
  interaction: 'create',
  type: resource.resourceType,
  id,
  resource,
  state: undefined,
});
const update = (resource: Resource, state: CurrentState | undefined = stateOf()): Change =>
  ({
    ...create(resource),
    interaction: 'update',
    state,
  }) as Change;
const remove = (type = 'Observation', state = stateOf()): Change => ({ interaction: 'delete', type, id: 'o', state });

/** The drafts of one request: what was asked for, and the Provenance of it. */
async function drafted(changes: readonly Change[], context = contextOf(), current?: Resource) {
  const { guarded, requests } = writerOf(current);
  await guarded.write(context, changes);
  const drafts = requests[0]?.drafts ?? [];
  const provenance = drafts.slice(changes.length).map((one) => JSON.parse(one.content ?? '') as Provenance);
  return { drafts: drafts.slice(0, changes.length), provenance, request: requests[0] };
}

describe('who may write', () => {
  const { guarded } = writerOf();
  const authorise = (context: RequestContext, type = 'Observation') => guarded.authorise(context, type, 'c');

  test('the institution itself, at its own base, with the scope', () => {
    assert.equal(authorise(contextOf()), INSTITUTION);
    for (const context of [
      contextOf({}, 'system/*.ruds'),
      contextOf({}, 'system/Patient.c'),
      contextOf({}, 'system/*.c', { kind: 'union' }),
      contextOf({}, 'system/*.c', { kind: 'institution', institution: 'b' }),
      contextOf({ institution: 'b' }),
      contextOf({ institution: 'gone' }, 'system/*.c', { kind: 'institution', institution: 'gone' }),
    ]) {
      assert.throws(() => authorise(context), FORBIDDEN);
    }
  });

  test('patients and their families write Consents only', () => {
    for (const type of ['Patient', 'RelatedPerson']) {
      const context = contextOf(user(type), 'patient/*.c');
      assert.equal(authorise(context, 'Consent'), INSTITUTION);
      assert.throws(() => authorise(context, 'Observation'), FORBIDDEN);
    }
    assert.equal(authorise(contextOf(user('Practitioner'), 'user/*.c')), INSTITUTION);
  });

  test('is asked of every change, and nothing is written when one is refused', async () => {
    const { guarded: writer, requests } = writerOf();
    const changes = [create(observation()), create({ resourceType: 'Basic', id: 'b', code: {} })];
    await assert.rejects(writer.write(contextOf({}, 'system/Observation.c'), changes), FORBIDDEN);
    await assert.rejects(writer.write(contextOf({}, 'system/Observation.c'), [update(observation())]), FORBIDDEN);
    await assert.rejects(writer.write(contextOf({}, 'system/Observation.u'), [remove()]), FORBIDDEN);
    const other = create({ resourceType: 'Organization', id: 'b' });
    await assert.rejects(writer.write(contextOf(), [other]), FORBIDDEN, 'what names another institution');
    assert.deepEqual(requests, []);
    await writer.write(contextOf(), [create({ resourceType: 'Organization', id: 'a' })]);
    assert.equal(requests.length, 1);
  });
});

describe('a granular scope', () => {
  const laboratory = { category: [{ coding: [{ system: 'urn:c', code: 'laboratory' }] }] };
  const [inside, outside] = [observation(undefined, laboratory), observation()];
  const context = contextOf({}, 'system/Observation.cud?category=laboratory');
  const write = (change: Change, current?: Resource) => writerOf(current).guarded.write(context, [change]);

  test('lets write what it covers', async () => {
    assert.equal((await write(create(inside))).length, 1);
    assert.equal((await write(update(inside), inside)).length, 1);
    assert.equal((await write(remove(), inside)).length, 1);
    assert.equal(
      (await write(update(inside, stateOf({ deleted: true })), outside)).length,
      1,
      'what is deleted is over',
    );
  });

  test('neither makes nor tells of what it does not', async () => {
    await assert.rejects(write(create(outside)), FORBIDDEN);
    await assert.rejects(write(update(outside), inside), FORBIDDEN);
    for (const change of [update(inside), update(outside), remove()]) {
      await assert.rejects(write(change, outside), { code: 'not-found' });
    }
  });
});

describe('a version', () => {
  test('has what the server says of it, and the rest as it came', async () => {
    const sent = { ...observation(), id: 'other', meta: { versionId: '99', lastUpdated: 'x', tag: [{ code: 't' }] } };
    const { drafts } = await drafted([create(sent as Resource, 'o')]);
    const [draft] = drafts as [VersionDraft];
    const content = JSON.parse(draft.content ?? '');
    assert.deepEqual(content, { ...sent, id: 'o', meta: { versionId: '1', lastUpdated: AT, tag: [{ code: 't' }] } });
    const header = {
      institution: INSTITUTION,
      type: 'Observation',
      id: 'o',
      version: 1,
      interaction: 'create',
      at: AT,
    };
    assert.partialDeepStrictEqual(draft, { ...header, idToken: names.idToken('a/Observation/o') });
    assert.equal(draft.previous, undefined);
    assert.deepEqual(draft.patients, [names.idToken('a/Patient/anna')]);
  });

  test('follows the one before it, and is never older', async () => {
    const { drafts } = await drafted([update(observation())], contextOf(), observation());
    const header = { version: 5, interaction: 'update', at: AT, previous: Buffer.from('previous') };
    assert.partialDeepStrictEqual(drafts[0], header);
    const later = '2099-01-01T00:00:00.000Z';
    const next = await drafted([update(observation(), stateOf({ at: later }))], contextOf(), observation());
    assert.equal(next.drafts[0]?.at, later);
  });

  test('that deletes keeps who may learn of it, and nothing to find it by', async () => {
    const { drafts } = await drafted([remove()], contextOf(), observation());
    assert.partialDeepStrictEqual(drafts[0], {
      version: 5,
      interaction: 'delete',
      patients: [names.idToken('a/Patient/anna')],
      facets: ['11', '-12'],
      readers: ['13'],
      tokens: [],
      traits: [],
      sortKeys: {},
    });
    assert.equal(drafts[0]?.content, undefined);
    assert.equal(drafts[0]?.consent, undefined);
  });

  test('that deletes a Consent ends its rules', async () => {
    const { drafts } = await drafted([remove('Consent')], contextOf(), { resourceType: 'Consent' } as Resource);
    const { patient, present, rules, entry } = drafts[0]?.consent ?? {};
    assert.deepEqual([patient, present, rules], [names.idToken('a/Patient/anna'), false, []]);
    assert.partialDeepStrictEqual(entry, { active: false, grantees: [] });
  });
});

describe('a repeated update', () => {
  const { guarded } = writerOf();
  const sent = observation();
  const contentToken = async (resource: Resource) =>
    (await drafted([create(resource)])).drafts[0]?.contentToken ?? null;
  const isRepeated = (resource: Resource, state: CurrentState) => guarded.isRepeated(INSTITUTION, resource, 'o', state);

  test('is one that would change nothing', async () => {
    const state = stateOf({ contentToken: await contentToken(sent) });
    assert.equal(isRepeated(sent, state), true);
    assert.equal(isRepeated({ ...sent, meta: { versionId: '4', lastUpdated: AT } } as Resource, state), true);
    assert.equal(isRepeated(observation({ reference: 'Patient/bert' }), state), false);
    assert.equal(guarded.isRepeated(INSTITUTION, sent, 'other', state), false);
  });

  test('is none of what is deleted, or of what nothing is kept to compare', async () => {
    assert.equal(isRepeated(sent, stateOf({ contentToken: await contentToken(sent), deleted: true })), false);
    assert.equal(isRepeated(sent, stateOf({ contentToken: null })), false);
  });
});

describe('Provenance', () => {
  const patientOf = ({ extension }: Provenance) => extension?.[0]?.valueReference?.reference;

  test('is one for each patient, and one for what is of none', async () => {
    const changes = [
      create(observation()),
      create({ ...observation({ reference: 'Patient/bert' }), id: 'p' } as Resource),
      create({
        ...observation({ reference: 'Patient/anna' }, { performer: [{ reference: 'Patient/bert' }] }),
        id: 'q',
      } as Resource),
      create({ resourceType: 'Location', id: 'l' }),
      create({ ...observation({ display: 'x' }), id: 'u' } as Resource),
    ];
    const { provenance } = await drafted(changes);
    const targets = provenance.map((one) => [patientOf(one), ...one.target.map(({ reference }) => reference)]);
    assert.deepEqual(targets, [
      ['Patient/anna', 'Observation/o/_history/1', 'Observation/q/_history/1'],
      ['Patient/bert', 'Observation/p/_history/1', 'Observation/q/_history/1'],
      [undefined, 'Location/l/_history/1', 'Observation/u/_history/1'],
    ]);
  });

  test('is of deletions too, and none of Provenance', async () => {
    const { provenance } = await drafted([remove()], contextOf(), observation());
    assert.deepEqual(
      provenance.map((one) => [patientOf(one), one.target[0]?.reference]),
      [['Patient/anna', 'Observation/o/_history/5']],
    );
    const said = { resourceType: 'Provenance', id: 'p', target: [], recorded: AT, agent: [] } as unknown as Resource;
    assert.deepEqual((await drafted([create(said)])).provenance, []);
  });

  test('says of a paper consent that staff entered what the patient told', async () => {
    const paper = {
      resourceType: 'Consent',
      id: 'c',
      status: 'draft',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [],
      patient: { reference: 'Patient/anna' },
      sourceAttachment: {},
      verification: [{ verified: true }],
    } as unknown as Resource;
    const agents = async (principal: Partial<Principal>, change: Change, current?: Resource) =>
      (await drafted([change], contextOf(principal, 'system/*.cruds'), current)).provenance[0]?.agent.length;
    assert.equal(await agents(user('Practitioner'), create(paper)), 3);
    assert.equal(await agents(user('Patient', 'anna'), create(paper)), 1);
    assert.equal(await agents(user('Practitioner'), create({ ...paper, verification: [] } as Resource)), 1);
    assert.equal(await agents(user('Practitioner'), remove('Consent'), paper), 1);
  });
});

describe('what else is asked', () => {
  test('who may write a Consent, and what must still hold then', async () => {
    const consent = {
      resourceType: 'Consent',
      id: 'o',
      status: 'draft',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] },
      patient: { reference: 'Patient/anna' },
    } as unknown as Resource;
    for (const [change, before, after] of [
      [create(consent), undefined, consent],
      [update(consent), consent, consent],
      [update(consent, stateOf({ deleted: true })), undefined, consent],
      [remove('Consent'), consent, undefined],
    ] as const) {
      const { guarded, authored, requests } = writerOf(consent);
      await guarded.write(contextOf(), [change], { guards: [{ ...GUARD, lock: '2' }] });
      assert.deepEqual(authored, [
        { institution: INSTITUTION, interaction: change.interaction, state: change.state, before, after },
      ]);
      assert.deepEqual(
        requests[0]?.guards?.map(({ lock }) => lock),
        ['2', '1'],
      );
    }
    const { guarded, authored } = writerOf(observation());
    await guarded.write(contextOf(), [create(observation()), update(observation()), remove()]);
    assert.deepEqual(authored, [], 'of nothing else');
  });

  test('whether an update of what is there lowers a label', async () => {
    const { guarded, relabelled } = writerOf(observation());
    await guarded.write(contextOf(), [create(observation()), remove()]);
    assert.equal(relabelled.length, 0);
    const sent = observation({ reference: 'Patient/bert' });
    await guarded.write(contextOf(), [{ ...update(sent), id: 'x' }]);
    const [asked] = relabelled;
    assert.deepEqual([asked?.institution, asked?.after], ['a', { ...sent, id: 'x' }]);
    assert.deepEqual(await asked?.before(), observation());
  });
});

describe('a write', () => {
  test('of nothing does nothing', async () => {
    const { guarded, requests } = writerOf();
    assert.deepEqual(await guarded.write(contextOf(), []), []);
    assert.deepEqual(requests, []);
  });

  test('answers for what was asked, before and after it is written, and takes it down', async () => {
    const { guarded, requests, along, recordings } = writerOf(observation());
    const changes = [remove(), create({ ...observation({ display: 'x' }), id: 'p' } as Resource)];
    const context = contextOf(user('Practitioner', 'dr'), 'user/*.cud');
    const before: unknown[] = [];
    const written = await guarded.write(context, changes, {
      beforeCommit: async (all) => {
        before.push(...all);
        return {};
      },
    });
    assert.deepEqual(
      written.map(({ change, draft, leafHash }) => [change, draft.id, leafHash]),
      [
        [changes[0], 'o', Buffer.of(0)],
        [changes[1], 'p', Buffer.of(1)],
      ],
    );
    assert.deepEqual(before, written);
    assert.equal(requests[0]?.author, 'his a/Practitioner/dr');
    assert.deepEqual(context.journal.entries, [
      { institution: 1, name: 'a/Observation/o/_history/5', leafHash: Buffer.of(0), patients: ['a/Patient/anna'] },
      { institution: 1, name: 'a/Observation/p/_history/1', leafHash: Buffer.of(1), patients: [] },
    ]);
    assert.deepEqual(along, [{ idempotency: undefined, access: [] }]);
    assert.deepEqual(recordings, [], 'its request goes on');
    assert.equal(context.journal.recordedAs, undefined);
  });

  test('that is all of its request stores the entry of the access trail along', async () => {
    const { guarded, along, recordings } = writerOf();
    const context = contextOf();
    const idempotency = { keyToken: 'k' } as IdempotencyRecord;
    await guarded.write(context, [create(observation())], {
      beforeCommit: async () => ({ idempotency, status: 201 }),
    });
    assert.deepEqual(along, [{ idempotency, access: [ENTRY] }]);
    assert.deepEqual(recordings, [[201, ['a/Observation/o/_history/1']]]);
    assert.equal(context.journal.recordedAs, 201);
    assert.equal(context.journal.entries.length, 1);
  });

  test('that fails has stored no entry', async () => {
    const { guarded, along } = writerOf();
    const context = contextOf();
    along.push = () => {
      throw new Error('no disk');
    };
    await assert.rejects(
      guarded.write(context, [create(observation())], { beforeCommit: async () => ({ status: 201 }) }),
    );
    assert.equal(context.journal.recordedAs, undefined);
    assert.deepEqual(context.journal.entries, []);
  });

  test('by a system is its client’s', async () => {
    const { request } = await drafted([create(observation())]);
    assert.equal(request?.author, 'his');
    assert.deepEqual(request?.guards, []);
  });
});
