import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';
import { ASKED, institutionsNamed, NOW } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createNames } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { PatientConsents, VersionLoader } from '../repository/version-loader.ts';
import { createJournal, type RequestContext } from '../request-context.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { type ConsentWriting, createConsentAuthors, isWitnessed } from './consent-author.ts';
import { consentNames, type StoredPolicy } from './consent-store.ts';
import { parseConsent } from './parse-consent.ts';
import { createPrincipalResolver } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);
const tokenizer = createTokenizer(SECRET);
const institutions = institutionsNamed('a', 'b');
const names = createNames({ institutions, identities: createIdentities(SECRET), publicUrl: 'https://node' });
const facts = createFactsReader(createSearchRegistry(), names);
const principals = createPrincipalResolver({ institutions, names, tokenizer });
const INSTITUTION = institutions.all()[0] as ConsentWriting['institution'];
const FATHER = 'a/RelatedPerson/father';
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';

const actor = (system: string, code: string, reference: string) => ({
  role: { coding: [{ system: `${TERMINOLOGY}/${system}`, code }] },
  reference: { reference },
});
const proxy = actor('v3-RoleCode', 'HPOWATT', 'RelatedPerson/father');
const doctor = actor('v3-ParticipationType', 'IRCP', 'Practitioner/doctor');
const permit = (more: ConsentProvision = {}): ConsentProvision => ({ type: 'permit', ...more });

function consent(given: Partial<Consent> = {}): Consent & { id: string } {
  return {
    resourceType: 'Consent',
    id: 'c',
    status: 'active',
    scope: { coding: [{ system: `${TERMINOLOGY}/consentscope`, code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    patient: { reference: 'Patient/anna' },
    provision: permit({ actor: [doctor] }),
    ...given,
  } as Consent & { id: string };
}

/** Consents that are stored, the first in row 1. */
function stored(...all: readonly Consent[]): readonly StoredPolicy[] {
  return all.map((one, index) => ({
    ...parseConsent(one, consentNames(names, 'a', `stored-${index}`, 1)),
    versionId: BigInt(index + 1),
  }));
}

interface Writing extends Partial<Omit<ConsentWriting, 'state'>> {
  readonly user: string | undefined;
  /** Of the Consent as it is stored. */
  readonly patients?: readonly string[];
  readonly policies?: readonly StoredPolicy[];
  readonly merges?: readonly string[];
}

/** What is let write, with what must still hold; it holds as long as `known` is what it was. */
function write({ user, patients, policies = [], merges = [], ...given }: Writing) {
  const known = { consents: policies.map(({ versionId }) => versionId), merges } as unknown as PatientConsents;
  let now = known;
  const asked: unknown[] = [];
  const loader = {
    consentsOf: async (patient: string, sql?: unknown) => {
      asked.push(patient);
      return sql === undefined ? known : now;
    },
  } as unknown as VersionLoader;
  const authors = createConsentAuthors({
    names,
    loader,
    consents: { load: async () => policies },
    principals,
    facts,
    tokenizer,
  });
  const [institution = '', type = '', id = ''] = user?.split('/') ?? [];
  const context: RequestContext = {
    requestId: 'r',
    principal: {
      clientId: 'app',
      institution: 'a',
      scopes: [{ context: 'patient', type: '*', actions: new Set(['c', 'u', 'd'] as const), restriction: [] }],
      purposes: ['PATRQT'],
      administrator: false,
      patient: { institution: 'a', type: 'Patient', id: 'anna' },
      ...(user && { user: { institution, type, id } }),
    },
    base: { kind: 'institution', institution: 'a' },
    instant: NOW,
    asked: ASKED,
    actingAs: type === 'RelatedPerson' ? [FATHER, `proxy ${FATHER}`, `guardian ${FATHER}`] : [],
    journal: createJournal(),
  };
  const state =
    patients === undefined
      ? undefined
      : ({ patients: patients.map((one) => names.idToken(one)) } as unknown as CurrentState);
  const writing: ConsentWriting = {
    institution: INSTITUTION,
    interaction: 'create',
    after: consent(),
    before: undefined,
    ...given,
    state,
  };
  return {
    asked,
    guards: authors.require(context, writing),
    changeTo: (consents: readonly bigint[], merged: readonly string[] = merges) => {
      now = { consents, merges: merged } as unknown as PatientConsents;
    },
  };
}

const FORBIDDEN = { code: 'forbidden' };
const ANNA = 'a/Patient/anna';
const BERT = 'a/Patient/bert';

describe('a patient', () => {
  test('writes, changes and ends their own Consent', async () => {
    assert.deepEqual(await write({ user: ANNA }).guards, []);
    assert.deepEqual(
      await write({ user: ANNA, interaction: 'update', patients: [ANNA], before: consent() }).guards,
      [],
    );
    const ending: Writing = {
      user: ANNA,
      interaction: 'delete',
      after: undefined,
      patients: [ANNA],
      before: consent(),
    };
    assert.deepEqual(await write(ending).guards, []);
  });

  test('writes none of somebody else, nor makes it theirs, nor theirs somebody else’s', async () => {
    const ofBert = consent({ patient: { reference: 'Patient/bert' } });
    const refused: readonly Writing[] = [
      { user: ANNA, after: ofBert },
      { user: ANNA, after: consent({ patient: { display: 'Anna' } }) },
      { user: ANNA, after: { resourceType: 'Basic', code: {} } },
      { user: ANNA, after: { ...consent(), resourceType: 'Contract' } as unknown as Resource },
      { user: ANNA, after: undefined },
      { user: ANNA, interaction: 'update', patients: [BERT], before: ofBert },
      { user: ANNA, interaction: 'update', patients: [ANNA, BERT] },
      { user: ANNA, interaction: 'update', patients: [ANNA], after: ofBert },
      { user: ANNA, interaction: 'delete', patients: [BERT], after: undefined, before: ofBert },
      { user: 'b/Patient/anna', interaction: 'delete', patients: [ANNA], after: undefined },
    ];
    for (const writing of refused) {
      await assert.rejects(write(writing).guards, { code: 'forbidden', message: /^A patient consents/ });
    }
  });
});

describe('staff', () => {
  const paper = { sourceAttachment: { title: 'Signed' }, verification: [{ verified: true }] };
  const witnessed = consent(paper);

  test('record a paper that is witnessed', async () => {
    for (const user of ['a/Practitioner/d', 'a/PractitionerRole/d']) {
      assert.deepEqual(await write({ user, after: witnessed }).guards, []);
      await assert.rejects(write({ user, after: consent() }).guards, FORBIDDEN);
      const ending: Writing = { user, interaction: 'delete', after: undefined, before: witnessed, patients: [ANNA] };
      await assert.rejects(write(ending).guards, FORBIDDEN);
    }
  });

  test('are people: neither a system nor anything else', async () => {
    for (const user of [undefined, 'a/Device/d', 'a/Organization/a', 'a/Person/p']) {
      await assert.rejects(write({ user, after: witnessed }).guards, FORBIDDEN);
    }
  });

  test('a paper is witnessed when there is one, and somebody has verified it', () => {
    const { sourceAttachment, verification } = paper;
    assert.equal(isWitnessed(witnessed), true);
    assert.equal(isWitnessed(consent({ sourceReference: { reference: 'Consent/x' }, verification })), true);
    assert.equal(
      isWitnessed(consent({ sourceAttachment, verification: [{ verified: false }, { verified: true }] })),
      true,
    );
    for (const not of [
      consent(),
      consent({ sourceAttachment }),
      consent({ verification }),
      consent({ sourceAttachment, verification: [] }),
      consent({ sourceAttachment, verification: [{ verified: false }] }),
      undefined,
      { ...witnessed, resourceType: 'Contract' } as unknown as Resource,
    ]) {
      assert.equal(isWitnessed(not), false);
    }
  });
});

describe('a representative', () => {
  const appointed = stored(consent({ provision: permit({ actor: [proxy] }) }));
  const by = (given: Partial<Writing> = {}): Writing => ({ user: FATHER, policies: appointed, ...given });

  test('writes, changes and ends what the patient’s consents let them', async () => {
    for (const writing of [
      by(),
      by({ interaction: 'update', before: consent({ provision: permit() }), patients: [ANNA] }),
      by({ interaction: 'delete', before: consent(), after: undefined, patients: [ANNA] }),
    ]) {
      const { guards, asked } = write(writing);
      assert.equal((await guards).length, 1);
      assert.deepEqual(asked, [names.idToken(ANNA)]);
    }
  });

  test('whom nothing appoints writes none', async () => {
    for (const policies of [
      [],
      stored(
        consent({ provision: permit({ actor: [actor('v3-ParticipationType', 'IRCP', 'RelatedPerson/father')] }) }),
      ),
      stored(consent({ patient: { reference: 'Patient/bert' }, provision: permit({ actor: [proxy] }) })),
      // They may read only.
      stored(
        consent({
          provision: permit({
            actor: [proxy],
            action: [{ coding: [{ system: `${TERMINOLOGY}/consentaction`, code: 'access' }] }],
          }),
        }),
      ),
    ]) {
      await assert.rejects(write(by({ policies })).guards, { code: 'forbidden', message: /^Nothing lets/ });
    }
  });

  test('must be let write both what was there and what comes', async () => {
    const security = [{ system: `${TERMINOLOGY}/v3-Confidentiality`, code: 'N' }];
    const onlyNormal = stored(consent({ provision: permit({ actor: [proxy], securityLabel: security }) }));
    const normal = consent({ meta: { security } });
    const restricted = consent({ meta: { security: [{ ...security[0], code: 'R' }] } });
    const change = (before: Consent, after: Consent) =>
      write(by({ policies: onlyNormal, interaction: 'update', before, after, patients: [ANNA] })).guards;
    assert.equal((await change(normal, normal)).length, 1);
    await assert.rejects(change(restricted, normal), FORBIDDEN);
    await assert.rejects(change(normal, restricted), FORBIDDEN);
  });

  test('lets nobody act for the patient, on no level, in no state', async () => {
    const appoints = permit({ actor: [proxy] });
    for (const provision of [
      appoints,
      permit({ actor: [actor('v3-RoleClass', 'GUARD', 'RelatedPerson/mother')] }),
      permit({ actor: [doctor], provision: [permit(), appoints] }),
    ]) {
      for (const status of ['active', 'draft', 'inactive'] as const) {
        const giving = consent({ provision, status });
        await assert.rejects(write(by({ after: giving })).guards, { code: 'forbidden', message: /^A representative/ });
        const ending = by({ interaction: 'delete', before: giving, after: undefined, patients: [ANNA] });
        await assert.rejects(write(ending).guards, FORBIDDEN, 'nor takes away what lets somebody');
        for (const [before, after] of [
          [giving, consent()],
          [consent(), giving],
        ] as const) {
          const changing = by({ interaction: 'update', before, after, patients: [ANNA] });
          await assert.rejects(write(changing).guards, { code: 'forbidden', message: /^A representative/ });
        }
      }
    }
  });

  test('drafts what lets nobody act', async () => {
    assert.equal((await write(by({ after: consent({ status: 'draft' }) })).guards).length, 1);
    await assert.rejects(
      write(by({ after: consent({ status: 'draft', provision: { type: 'permit', code: [{ text: 'x' }] } }) })).guards,
      { code: 'unenforceable-consent' },
      'of what cannot be enforced it is not known whom it would let act',
    );
  });

  test('writes nothing that is no Consent, of no patient, or of another', async () => {
    const ofBert = consent({ patient: { reference: 'Patient/bert' } });
    for (const writing of [
      by({ after: { resourceType: 'Basic', code: {}, subject: { reference: 'Patient/anna' } } }),
      by({ after: undefined }),
      by({ after: ofBert }),
      by({ interaction: 'update', before: ofBert, after: consent(), patients: [BERT] }),
      by({ interaction: 'update', before: consent(), after: ofBert, patients: [ANNA] }),
      // As it is stored it is of somebody else, whatever was opened.
      by({ interaction: 'update', before: consent(), patients: [BERT] }),
      by({ interaction: 'update', before: consent(), patients: [ANNA, BERT] }),
    ]) {
      await assert.rejects(write(writing).guards, FORBIDDEN);
    }
  });

  test('writes only as long as nothing is withdrawn or merged meanwhile', async () => {
    const { guards, changeTo } = write(by({ merges: ['x y 1'] }));
    const [guard] = await guards;
    const holds = async () => guard?.holds({} as never);
    assert.equal(guard?.lock, tokenizer.token('consent author', ANNA));
    assert.equal(await holds(), true);
    changeTo([2n]);
    assert.equal(await holds(), false);
    changeTo([1n, 2n]);
    assert.equal(await holds(), false);
    changeTo([1n], []);
    assert.equal(await holds(), false);
    changeTo([1n], ['x y 1']);
    assert.equal(await holds(), true);
  });
});
