import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';
import { institutionsNamed, NOW, OF_A, requestContext } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createNames } from '../repository/names.ts';
import type { PastVersions } from '../repository/past-versions.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import type { Principal, RequestContext } from '../request-context.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { consentNames, type StoredPolicy } from './consent-store.ts';
import { createExplainer, type PastRequest, type Question } from './explain.ts';
import { parseConsent } from './parse-consent.ts';
import { createPrincipalResolver } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);
const institutions = institutionsNamed('a', 'b');
const names = createNames({ institutions, identities: createIdentities(SECRET), publicUrl: 'https://node' });
const facts = createFactsReader(createSearchRegistry(), names);
const principals = createPrincipalResolver({ institutions, names, tokenizer: createTokenizer(SECRET) });
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
const [ANNA, NEW_ANNA] = ['a/Patient/anna', 'a/Patient/new'] as const;
const [B, ROLE] = ['b/Organization/b', 'b/PractitionerRole/r'] as const;
const NOT_FOUND = { code: 'not-found' };

const actor = (reference: string) => ({
  role: { coding: [{ system: `${TERMINOLOGY}/v3-ParticipationType`, code: 'IRCP' }] },
  reference: { reference: `https://node/${reference.replace('/', '/fhir/')}` },
});
const purpose = (code: string) => [{ system: `${TERMINOLOGY}/v3-ActReason`, code }];

function consent(provision: ConsentProvision, patient = 'anna', versionId = 1n): StoredPolicy {
  const written: Consent = {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: `${TERMINOLOGY}/consentscope`, code: 'patient-privacy' }] },
    category: [],
    patient: { reference: `Patient/${patient}` },
    provision,
  };
  return { ...parseConsent(written, consentNames(names, 'a', `c${versionId}`, 1)), versionId };
}

const observation = (subject: object): Resource =>
  ({ resourceType: 'Observation', id: 'o', status: 'final', code: {}, subject }) as Resource;

interface World {
  /** The record's content by its version; the last one is the newest. */
  readonly contents?: readonly (Resource | undefined)[];
  /** The first of them is from then on. */
  readonly since?: number;
  /** What is in force now, and what was before. */
  readonly policies?: readonly StoredPolicy[];
  readonly before?: readonly StoredPolicy[];
  readonly merges?: readonly string[];
}

function explainerOf({ contents = [observation({ reference: 'Patient/anna' })], since = 0, ...world }: World = {}) {
  const { policies = [], before = [], merges = [] } = world;
  const asked: string[][] = [];
  const time = (text: string) => new Date(text).getTime();
  const past = {
    recordAt: async (idToken: string, at: string) =>
      idToken === names.idToken('a/Observation/o') && time(at) >= since ? BigInt(contents.length - 1) : undefined,
    version: async (idToken: string, version: number) =>
      idToken === names.idToken('a/Observation/o') && version <= contents.length ? BigInt(version - 1) : undefined,
    mergesAt: async () => merges,
    consentsAt: async (everyone: string[], at: string) => {
      asked.push(everyone);
      return (time(at) < NOW ? before : policies).map(({ versionId }) => versionId);
    },
  } as unknown as PastVersions;
  const explainer = createExplainer({
    past,
    loader: {
      versions: async ([id]: readonly bigint[]) => (id === 99n ? [] : [{ at: id, version: Number(id) + 1 }]),
    } as unknown as VersionLoader,
    opener: {
      open: async ({ version }: { version: number }) => {
        const content = contents[version - 1];
        return { content: content && Buffer.from(JSON.stringify(content)), institution: 'a', id: 'o' };
      },
    } as unknown as RecordOpener,
    consents: {
      load: async (ids) => [...policies, ...before].filter(({ versionId }) => ids.includes(versionId)),
    },
    principals,
    actingAs: {
      resolve: async ({ user, clientId, institution, administrator }) => {
        assert.ok(institutions.find(institution), 'of nobody who is gone');
        if (administrator) return [];
        return [...(user?.id === 'dr' ? ['b/Group/team'] : []), ...(clientId === 'his' ? ['b/Device/his'] : [])];
      },
    },
    facts,
    names,
    institutions,
  });
  return { explainer, asked };
}

function contextOf(
  { scope = 'system/AuditEvent.rs', ...principal }: Partial<Principal> & { scope?: string } = {},
  base?: RequestContext['base'],
) {
  return requestContext(scope, principal, base);
}

const QUESTION: Question = { type: 'Observation', id: 'o', at: undefined, action: 'read' };
const patient = (id: string) => {
  const user = { institution: 'a', type: 'Patient', id };
  return { user, patient: user, scope: 'patient/*.rs' };
};
const SHARED = consent({ type: 'permit', actor: [actor(B)], purpose: purpose('HRESCH') });

/** `permit basis` of one asker. */
async function may(
  world: World,
  actorName: string | undefined,
  why?: string,
  question = QUESTION,
  context = contextOf(),
) {
  const asker = { actor: actorName, purpose: why };
  const { explanations } = await explainerOf(world).explainer.mayRead(context, question, asker);
  const [{ decision, ...said } = { decision: undefined }] = explanations;
  assert.deepEqual(said, asker);
  return `${decision?.permit} ${decision?.basis}`;
}

describe('who is told why', () => {
  const tell = async (
    given: Parameters<typeof contextOf>[0],
    world: World = {},
    base: RequestContext['base'] = OF_A,
  ) => {
    const context = contextOf(given, base);
    const { version, at } = await explainerOf(world).explainer.whoMayRead(context, QUESTION);
    return { version, at, entries: context.journal.entries };
  };

  test('the patient, and an auditor of the custodian; and it is taken down', async () => {
    for (const given of [{}, patient('anna')]) {
      const { entries, ...told } = await tell(given);
      assert.deepEqual(told, { version: 'a/Observation/o/_history/1', at: NOW });
      assert.deepEqual(entries, [
        { institution: 1, name: 'a/Observation/o', leafHash: Buffer.alloc(0), patients: ['a/Patient/anna'] },
      ]);
    }
  });

  test('a representative, as long as they may read themselves', async () => {
    const father = { user: { institution: 'a', type: 'RelatedPerson', id: 'f' }, scope: 'patient/*.rs' };
    await assert.rejects(tell(father), NOT_FOUND);
  });

  test('nobody else, not even who may read', async () => {
    const open = { policies: [consent({ type: 'permit' })] };
    for (const given of [
      { scope: 'system/*.rs', institution: 'b' },
      { scope: 'system/Observation.rs' },
      patient('bert'),
      // A person's token reads the trail of that person only.
      { ...patient('bert'), scope: 'patient/*.rs patient/AuditEvent.rs' },
      { institution: 'b', user: { institution: 'b', type: 'Practitioner', id: 'dr' }, scope: 'user/*.rs' },
    ]) {
      await assert.rejects(tell(given, open), NOT_FOUND);
    }
  });

  test('of what is there, at one base', async () => {
    await assert.rejects(tell({}, {}, { kind: 'union' }), NOT_FOUND);
    await assert.rejects(tell({}, { since: NOW + 1 }), NOT_FOUND);
    await assert.rejects(tell({}, { contents: [undefined] }), NOT_FOUND, 'nor of what is deleted');
    const { explainer } = explainerOf();
    await assert.rejects(explainer.whoMayRead(contextOf(), { ...QUESTION, id: 'x' }), NOT_FOUND);
    const unknown = await tell({}, { contents: [observation({ display: 'x' })] });
    assert.deepEqual(unknown.entries[0]?.patients, []);
  });
});

describe('may somebody read', () => {
  test('whom a consent permits, for what it permits', async () => {
    const world = { policies: [SHARED] };
    assert.equal(await may(world, B, 'HRESCH'), 'true consent');
    assert.equal(await may(world, B, 'HMARKT'), 'false default');
    assert.equal(await may(world, B), 'false default');
    assert.equal(await may(world, undefined, 'HRESCH'), 'false default');
    assert.equal(await may(world, 'a/Organization/a', 'TREAT'), 'true custodian');
    assert.equal(await may(world, 'gone/Organization/gone', 'TREAT'), 'false default');
  });

  test('as whom they act, and as a role that nobody holds', async () => {
    const permitting = (one: string): World => ({ policies: [consent({ type: 'permit', actor: [actor(one)] })] });
    const [team, role, device] = [permitting('b/Group/team'), permitting(ROLE), permitting('b/Device/his')];
    assert.equal(await may(team, 'b/Practitioner/dr', 'TREAT'), 'true consent');
    assert.equal(await may(team, 'b/Practitioner/other', 'TREAT'), 'false default');
    assert.equal(await may(team, 'b/Group/team', 'TREAT'), 'true consent');
    assert.equal(await may(role, ROLE, 'TREAT'), 'true consent');
    assert.equal(await may(device, 'b/Device/his', 'TREAT'), 'true consent');
    assert.equal(await may(role, 'b/Practitioner/dr', 'TREAT'), 'false default');
    assert.equal(await may(role, 'a/Patient/anna'), 'true self');
    assert.equal(await may(role, 'a/RelatedPerson/f', 'TREAT'), 'false default', 'nor as staff of the custodian');
  });

  test('for another action than reading', async () => {
    const world = {
      policies: [
        consent({
          type: 'permit',
          actor: [actor(B)],
          action: [{ coding: [{ system: `${TERMINOLOGY}/consentaction`, code: 'disclose' }] }],
        }),
      ],
    };
    assert.equal(await may(world, B, undefined, { ...QUESTION, action: 'disclose' }), 'true consent');
    assert.equal(await may(world, B), 'false default');
  });

  test('at a past moment, by what held then; and not at one to come', async () => {
    const world = { policies: [], before: [SHARED], since: NOW - 2000 };
    assert.equal(await may(world, B, 'HRESCH', { ...QUESTION, at: NOW - 1000 }), 'true consent');
    assert.equal(await may(world, B, 'HRESCH'), 'false default');
    assert.equal(await may(world, B, 'HRESCH', { ...QUESTION, at: NOW + 1000 }), 'false default');
    await assert.rejects(may(world, B, 'HRESCH', { ...QUESTION, at: NOW - 3000 }), NOT_FOUND, 'before the record');
    const { explainer } = explainerOf(world);
    const asked = await explainer.mayRead(
      contextOf(),
      { ...QUESTION, at: NOW + 1000 },
      { actor: B, purpose: undefined },
    );
    assert.equal(asked.at, NOW);
  });

  test('by the consents of whom the patient is merged with', async () => {
    const tokens = [ANNA, NEW_ANNA].map((one) => names.idToken(one));
    const merges = [`${tokens[0]} ${tokens[1]} 5`];
    const policies = [consent({ type: 'permit', actor: [actor(B)] }, 'new', 7n)];
    const { explainer, asked } = explainerOf({ policies, merges });
    const { explanations } = await explainer.mayRead(contextOf(), QUESTION, { actor: B, purpose: 'TREAT' });
    assert.equal(explanations[0]?.decision.permit, true);
    assert.deepEqual(asked, [tokens], 'asked once, of both');
  });

  test('nobody’s consents are asked for where the patient is unknown', async () => {
    const { explainer, asked } = explainerOf({ contents: [observation({ display: 'x' })] });
    const { explanations } = await explainer.mayRead(contextOf(), QUESTION, { actor: B, purpose: 'TREAT' });
    assert.equal(explanations[0]?.decision.permit, false);
    assert.deepEqual(asked, []);
  });
});

test('who may read: everyone named, every institution, somebody unknown; for every purpose that is named or common', async () => {
  const nested = { type: 'deny' as const, actor: [actor(ROLE)], purpose: purpose('HMARKT') };
  const policies = [consent({ type: 'permit', actor: [actor(B)], provision: [nested] })];
  const { explanations } = await explainerOf({ policies }).explainer.whoMayRead(contextOf(), QUESTION);
  const actors = [undefined, 'a/Organization/a', B, ROLE];
  const purposes = [undefined, 'TREAT', 'ETREAT', 'HRESCH', 'HPAYMT', 'HOPERAT', 'PUBHLTH', 'HMARKT'];
  assert.deepEqual(
    explanations.map((one) => [one.actor, one.purpose]),
    actors.flatMap((one) => purposes.map((why) => [one, why])),
  );
  const permitted = explanations.filter(({ decision }) => decision.permit).map((one) => one.actor);
  assert.deepEqual([...new Set(permitted)], ['a/Organization/a', B, ROLE]);
  const denied = explanations.find((one) => one.actor === ROLE && one.purpose === 'HMARKT');
  assert.deepEqual([denied?.decision.permit, denied?.decision.by?.provision], [false, '0.0']);
});

describe('a past request, decided again', () => {
  const PAST: PastRequest = {
    at: NOW - 1000,
    institution: 'b',
    clientId: 'app',
    user: undefined,
    purposes: ['HRESCH'],
    versions: ['a/Observation/o/_history/1'],
  };
  const replayed = async (world: World, more: Partial<PastRequest> = {}) =>
    (await explainerOf(world).explainer.replay({ ...PAST, ...more })).map(({ version, at, explanations }) => {
      const [{ actor: who, purpose: why, decision } = {}] = explanations;
      return [version, at, who, why, decision?.permit, decision?.basis];
    });
  const [NAME] = PAST.versions;

  test('by what held then', async () => {
    assert.deepEqual(await replayed({ before: [SHARED] }), [[NAME, PAST.at, undefined, 'HRESCH', true, 'consent']]);
    assert.deepEqual(await replayed({ policies: [SHARED] }), [[NAME, PAST.at, undefined, 'HRESCH', false, 'default']]);
  });

  test('as who asked then: the client’s device, or the user', async () => {
    const of = (one: string) => ({ before: [consent({ type: 'permit', actor: [actor(one)] })] });
    const permitted = async (world: World, more: Partial<PastRequest>) => (await replayed(world, more))[0]?.[4];
    assert.equal(await permitted(of('b/Device/his'), { clientId: 'his' }), true);
    assert.equal(await permitted(of('b/Device/his'), {}), false);
    assert.equal(await permitted(of('b/Practitioner/dr'), { user: 'b/Practitioner/dr' }), true);
    assert.equal(await permitted({}, { user: 'a/Patient/anna' }), true);
    assert.deepEqual((await replayed({}, { user: 'a/Patient/anna' }))[0]?.[2], 'a/Patient/anna');
  });

  test('of each version that it showed and that is still there', async () => {
    const contents = [observation({ reference: 'Patient/anna' }), undefined];
    const versions = [`a/Observation/o/_history/2`, 'a/Observation/x/_history/1', 'a/Observation/o', NAME as string];
    assert.deepEqual(
      (await replayed({ contents, before: [SHARED] }, { versions })).map(([name]) => name),
      [NAME],
    );
  });
});
