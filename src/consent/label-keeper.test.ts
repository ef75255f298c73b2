import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Coding, Resource } from '@medplum/fhirtypes';
import { institutionsNamed } from '../../conformance/support/consent-fixtures.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { createNames } from '../repository/names.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { RequestContext } from '../request-context.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { createIdentities } from '../sealing/identity.ts';
import { LABEL_STEWARD } from './acting-as.ts';
import { recordFacets } from './facets.ts';
import { createLabelKeeper } from './label-keeper.ts';
import { facetToken } from './principal.ts';
import { createFactsReader } from './record-facts.ts';

const SECRET = Buffer.alloc(32, 5);
const tokenizer = createTokenizer(SECRET);
const names = createNames({
  institutions: institutionsNamed('a'),
  identities: createIdentities(SECRET),
  publicUrl: 'https://node',
});
const facts = createFactsReader(createSearchRegistry(), names);
const keeper = createLabelKeeper(facts, tokenizer);
const SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const PSYCHIATRY = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };

function labelled(...labels: readonly (string | Coding)[]): Resource {
  const security = labels.map((one) => (typeof one === 'string' ? { system: SYSTEM, code: one } : one));
  const meta = security.length === 0 ? {} : { meta: { security } };
  return { resourceType: 'Basic', id: 'r', code: {}, subject: { reference: 'Patient/p' }, ...meta };
}

/** @returns whether the content that was there had to be opened */
async function relabel(before: Resource, after: Resource, actingAs: readonly string[] = [], deleted = false) {
  const state = {
    deleted,
    facets: recordFacets(facts.read(before, 'a')).map((facet) => BigInt(facetToken(tokenizer, facet))),
  } as unknown as CurrentState;
  let opened = false;
  await keeper.require({ actingAs } as unknown as RequestContext, {
    institution: 'a',
    state,
    after,
    before: async () => {
      opened = true;
      return before;
    },
  });
  return opened;
}

describe('lowering a confidentiality label', () => {
  const lowered: readonly (readonly [why: string, before: Resource, after: Resource])[] = [
    ['to a lower one', labelled('R'), labelled('N')],
    ['to none', labelled('U'), labelled()],
    ['to a tag that is no confidentiality', labelled('R'), labelled(PSYCHIATRY)],
    ['of two the higher', labelled('L', 'V'), labelled('L', 'R')],
    ['that bears no system', labelled({ code: 'R' }), labelled('N')],
    [
      'of what is inside',
      { ...labelled('N'), contained: [labelled('V')] } as Resource,
      { ...labelled('N'), contained: [labelled('R')] } as Resource,
    ],
  ];
  for (const [why, before, after] of lowered) {
    test(`${why}: is for a steward`, async () => {
      await assert.rejects(relabel(before, after), { code: 'forbidden' });
      await relabel(before, after, ['a/PractitionerRole/r', LABEL_STEWARD]);
    });
  }

  test('is not what keeps or raises it', async () => {
    assert.equal(await relabel(labelled('R'), labelled('R')), true);
    await relabel(labelled('R', PSYCHIATRY), labelled('V'));
    await relabel(labelled('L', 'R'), labelled('R'));
  });

  test('is not possible where there is none, and then nothing is opened', async () => {
    assert.equal(await relabel(labelled(), labelled()), false);
    assert.equal(await relabel(labelled(PSYCHIATRY), labelled('U')), false);
    assert.equal(await relabel(labelled('R'), labelled(), [], true), false, 'nor of what was deleted');
  });

  test('of a record of nobody who could consent is heard too', async () => {
    const somebody = { ...labelled('R'), subject: { display: 'x' } } as Resource;
    await assert.rejects(relabel(somebody, { ...somebody, meta: {} } as Resource), { code: 'forbidden' });
    await relabel({ ...somebody, meta: {} } as Resource, { ...somebody, meta: {} } as Resource);
  });
});
