import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { institutionsNamed, request } from '../../conformance/support/consent-fixtures.ts';
import type { AccessQuery } from '../repository/permitted-access.ts';
import { createJournal, type Patience, type RequestContext, type ScopeAction } from '../request-context.ts';
import type { AccessDetails, AccessTrail } from '../trail/access-trail.ts';
import type { AccessRequest } from './decide.ts';
import { createGuardedTrail } from './guarded-trail.ts';
import type { PrincipalResolver } from './principal.ts';

const [ANNA, BERT] = ['hospital-a/Patient/anna', 'hospital-a/Patient/bert'] as const;
const DETAILS: AccessDetails = {
  client: 'his',
  from: 'hospital-a',
  purposes: ['TREAT'],
  interaction: 'search-type',
  target: 'Observation',
  query: 'code=x',
  status: 200,
  requestId: 'r',
  versions: [['hospital-a/Observation/o/_history/1', 'leaf']],
  patients: [ANNA, BERT],
};
const QUERY: AccessQuery = {
  institution: 1,
  idTokens: undefined,
  patients: [],
  times: [],
  before: undefined,
  limit: 10,
};
const row = (institution: number) => ({ id: 7n, institution, idToken: 't', at: 'now', patients: [], sealed: '' });

/** A trail of one entry, which the database showed to whoever asks. */
function trailOf(asking: Partial<AccessRequest>, details: AccessDetails = DETAILS, institution = 1) {
  const asked: AccessQuery[] = [];
  const within: (number | undefined)[] = [];
  const guarded = createGuardedTrail({
    reader: {
      entries: async (settings, query) => {
        asked.push(query);
        within.push(settings.statementTimeout);
        return [row(institution)];
      },
    },
    trail: { open: async () => details } as unknown as AccessTrail,
    principals: {
      accessRequest: () => request(asking),
      settings: (_context: unknown, { self }: AccessRequest) => ({ self }),
    } as unknown as PrincipalResolver,
    institutions: institutionsNamed('hospital-a', 'hospital-b'),
  });
  const scope = {
    context: 'system',
    type: 'AuditEvent',
    actions: new Set<ScopeAction>(['s']),
    restriction: [],
  } as const;
  const context = {
    principal: { clientId: 'c', institution: 'hospital-a', scopes: [scope], purposes: [], administrator: false },
    journal: createJournal(),
  } as unknown as RequestContext;
  const entries = (action: ScopeAction = 's', query = QUERY, patience?: Patience) =>
    guarded.entries(patience === undefined ? context : { ...context, patience }, action, query);
  return { asked, within, entries };
}

const patient = (...self: readonly string[]) => ({ self, custodianAccess: false, institution: 'hospital-a' });

describe('the access trail', () => {
  test('is the institution’s own, whole', async () => {
    const { entries, asked } = trailOf({ institution: 'hospital-a' });
    const query = { ...QUERY, patients: [[BERT]] };
    assert.deepEqual(await entries('s', query), [
      { row: 7n, id: 't', at: 'now', institution: 'hospital-a', details: DETAILS },
    ]);
    assert.deepEqual(asked, [query]);
  });

  test('is no other institution’s, whatever the database shows', async () => {
    assert.deepEqual(await trailOf({ institution: 'hospital-b' }).entries(), []);
    assert.deepEqual(await trailOf({ institution: 'hospital-a', custodianAccess: false }).entries(), []);
    assert.deepEqual(await trailOf({ institution: 'hospital-a' }, DETAILS, 3).entries(), [], 'nor one that is gone');
  });

  test('shows a patient that they were concerned, and of others nothing', async () => {
    const [entry] = await trailOf(patient(ANNA)).entries();
    const { query: _, ...rest } = DETAILS;
    assert.deepEqual(entry?.details, { ...rest, versions: [], patients: [ANNA] });
    assert.deepEqual(await trailOf(patient('hospital-a/Patient/carl')).entries(), []);
  });

  test('shows a patient everything of what concerned nobody else', async () => {
    assert.deepEqual((await trailOf(patient(ANNA, BERT)).entries())[0]?.details, DETAILS);
  });

  test('a patient who asks for somebody else asks for nobody', async () => {
    const { entries, asked } = trailOf(patient(ANNA));
    await entries('s', { ...QUERY, patients: [[BERT], [ANNA, BERT]] });
    assert.deepEqual(asked[0]?.patients, [[], [ANNA]]);
  });

  test('needs the scope', async () => {
    await assert.rejects(trailOf({ institution: 'hospital-a' }).entries('r'), { code: 'forbidden' });
  });
});

describe('a search of the trail', () => {
  test('asks the database for as long as its request has time', async () => {
    const { within, entries } = trailOf({});
    await entries('s', QUERY, { statement: (run) => run(250), opening: () => undefined });
    assert.deepEqual(within, [250]);
    const late = new Error('too late');
    const refused = entries('s', QUERY, { statement: () => Promise.reject(late), opening: () => undefined });
    await assert.rejects(refused, late);
  });

  test('lets others go on before it opens an entry', async () => {
    const { entries } = trailOf({});
    const order: string[] = [];
    const others = async () => void order.push('others');
    await entries('s', QUERY, { statement: (run) => run(250), opening: others });
    assert.deepEqual(order, ['others']);
  });
});
