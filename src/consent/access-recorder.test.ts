import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { institutionsNamed, NOW, requestContext } from '../../conformance/support/consent-fixtures.ts';
import type { InstitutionDirectory } from '../repository/institutions.ts';
import { createNames } from '../repository/names.ts';
import { createJournal, type JournalEntry, type RequestContext } from '../request-context.ts';
import { createIdentities } from '../sealing/identity.ts';
import type { AccessRow } from '../storage/trail/access.ts';
import type { AccessEvent, AccessTrail } from '../trail/access-trail.ts';
import { createAccessRecorder } from './access-recorder.ts';

const own = institutionsNamed('a', 'b');
const names = createNames({
  institutions: own,
  identities: createIdentities(Buffer.alloc(32, 5)),
  publicUrl: 'https://node',
});
const ASKED = { interaction: 'read', target: 'Observation/o', query: '' };
const shown = (institution: number, name: string, ...patients: readonly string[]): JournalEntry => ({
  institution,
  name,
  leafHash: Buffer.from('leaf'),
  patients,
});

async function recorded(
  context: Partial<RequestContext>,
  entries: readonly JournalEntry[],
  { query = '', institutions = own }: { query?: string; institutions?: InstitutionDirectory } = {},
): Promise<readonly AccessEvent[]> {
  const told: AccessEvent[] = [];
  const trail = { record: async (events: readonly AccessEvent[]) => void told.push(...events) };
  const journal = createJournal();
  for (const entry of entries) journal.add(entry);
  if (context.journal?.remark !== undefined) journal.remark = context.journal.remark;
  const principal = { clientId: 'app', institution: 'b', scopes: [], purposes: ['TREAT'], administrator: false };
  const asked = { ...ASKED, query };
  const whole = { requestId: 'r', base: { kind: 'union' }, instant: NOW, asked, principal, ...context, journal };
  const recorder = createAccessRecorder(trail as unknown as AccessTrail, institutions, names);
  await recorder.record(whole as RequestContext, 200);
  return told;
}

describe('an access is recorded', () => {
  test('with who asked for what, and what was shown of whom', async () => {
    const [event, ...others] = await recorded({}, [
      shown(1, 'a/Observation/o/_history/1', 'a/Patient/p'),
      shown(1, 'a/Observation/q/_history/2', 'a/Patient/p', 'a/Patient/q'),
    ]);
    assert.deepEqual(others, []);
    assert.equal(event?.institution.name, 'a');
    assert.equal(event?.at, new Date(NOW).toISOString());
    assert.deepEqual(event?.patients, ['a/Patient/p', 'a/Patient/q'].map(names.idToken));
    assert.deepEqual(event?.details, {
      client: 'app',
      from: 'b',
      purposes: ['TREAT'],
      interaction: 'read',
      target: 'Observation/o',
      status: 200,
      requestId: 'r',
      versions: [
        ['a/Observation/o/_history/1', 'bGVhZg'],
        ['a/Observation/q/_history/2', 'bGVhZg'],
      ],
      patients: ['a/Patient/p', 'a/Patient/q'],
    });
  });

  test('with its user, its query and what was said about it, where there are any', async () => {
    const journal = createJournal();
    journal.remark = 'why';
    const user = { institution: 'b', type: 'Practitioner', id: 'd' };
    const principal = { clientId: 'app', institution: 'b', scopes: [], purposes: [], administrator: false, user };
    const [event] = await recorded({ journal, principal }, [], { query: 'code=x' });
    assert.partialDeepStrictEqual(event?.details, { user: 'b/Practitioner/d', query: 'code=x', remark: 'why' });
    const [plain] = await recorded({}, []);
    for (const name of ['user', 'query', 'remark']) assert.ok(!(name in (plain?.details ?? {})), name);
  });

  test('with each institution whose records it showed, and there only what is theirs', async () => {
    const events = await recorded({ base: { kind: 'institution', institution: 'b' } }, [
      shown(1, 'a/Observation/o/_history/1', 'a/Patient/p'),
      shown(2, 'b/Observation/o/_history/1', 'b/Patient/p'),
      shown(9, 'gone/Observation/o/_history/1', 'gone/Patient/p'),
    ]);
    assert.deepEqual(
      events.map(({ institution, details }) => [institution.name, details.patients]),
      [
        ['a', ['a/Patient/p']],
        ['b', ['b/Patient/p']],
      ],
    );
  });

  test('that showed nothing: with the base, else the client’s own, else ours', async () => {
    const whose = async (context: Partial<RequestContext>, institutions = own) =>
      (await recorded(context, [], { institutions })).map(({ institution }) => institution.name);
    assert.deepEqual(await whose({ base: { kind: 'institution', institution: 'a' } }), ['a']);
    assert.deepEqual(await whose({}), ['b']);
    const [a, b] = own.all();
    assert.ok(a !== undefined && b !== undefined);
    const guest = { ...b, guest: true };
    const withGuest: InstitutionDirectory = {
      ...own,
      find: (name) => (name === 'b' ? guest : own.find(name)),
      own: () => [a],
    };
    assert.deepEqual(await whose({}, withGuest), ['a'], 'a guest keeps no trail here');
    assert.deepEqual(await whose({ base: { kind: 'institution', institution: 'gone' } }), ['b']);
  });
});

describe('the entries of a request that writes', () => {
  const context = requestContext('system/*.cruds');
  const [event] = [shown(1, 'a/Observation/o/_history/1', 'a/Patient/p')] as const;
  const told: AccessEvent[] = [];
  const row = (named: AccessEvent) => ({ sealed: JSON.stringify(named.details) }) as AccessRow;
  const trail = {
    record: async (events: readonly AccessEvent[]) => void told.push(...events),
    seal: async (named: AccessEvent) => row(named),
  } as unknown as AccessTrail;
  const recorder = createAccessRecorder(trail, own, names);

  test('are made before it is committed, of what it will have written', async () => {
    const rows = await recorder.entries(context, 201, [event]);
    assert.equal(rows.length, 1);
    assert.partialDeepStrictEqual(JSON.parse(rows[0]?.sealed ?? ''), { status: 201, patients: ['a/Patient/p'] });
    assert.equal(told.length, 0);
  });

  test('are not stored twice, unless another status is answered than they tell', async () => {
    context.journal.add(event);
    context.journal.recordedAs = 201;
    await recorder.record(context, 201);
    assert.equal(told.length, 0);
    await recorder.record(context, 500);
    assert.deepEqual(
      told.map(({ details }) => [details.status, details.patients]),
      [[500, ['a/Patient/p']]],
    );
  });
});
