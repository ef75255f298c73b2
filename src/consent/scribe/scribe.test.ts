import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Consent, Resource } from '@medplum/fhirtypes';
import { hl7Example } from '../../../conformance/support/sample-data.ts';
import { until } from '../../../conformance/support/until.ts';
import { parseJson } from '../../fhir/json/parse.ts';
import { extendRegistry } from '../../fhir/search/custom/registry.ts';
import { createSearchRegistry } from '../../fhir/search/registry.ts';
import { silentLogger } from '../../logger.ts';
import type { ParameterSet } from '../../repository/custom-parameters.ts';
import { createNames } from '../../repository/names.ts';
import { sealHere } from '../../repository/seal-draft.ts';
import { createSources } from '../../sealing/blind-index/sources.ts';
import { createTokenizer } from '../../sealing/blind-index/tokenizer.ts';
import { createIdentities, deriveKey } from '../../sealing/identity.ts';
import { protectedHeader } from '../../sealing/jwe.ts';
import { createRandomPool } from '../../sealing/random.ts';
import { leafSecrets, openVersion } from '../../sealing/version.ts';
import { createDescriber } from '../describe.ts';
import { createFactsReader } from '../record-facts.ts';
import { describeElsewhere, sealElsewhere, type ToDescribe } from './elsewhere.ts';
import { createScribe } from './scribe.ts';

const PUBLIC_URL = 'http://localhost';
const FILES = [
  'Patient-example.json',
  'Observation-f001.json',
  'Encounter-example.json',
  'Bundle-bundle-example.json',
  'MedicationRequest-medrx0301.json',
  'Observation-20minute-apgar-score.json',
  'Condition-example.json',
  'List-example.json',
  'Organization-hl7.json',
];

const PARAMETERS: ParameterSet = {
  institution: 'hospital-a',
  revision: 3,
  parameters: [
    {
      id: 'p',
      idToken: '00000000-0000-4000-8000-000000000001',
      searchable: false,
      definition: {
        url: 'https://example.org/p',
        code: 'spoken',
        type: 'token',
        base: ['Patient'],
        expression: 'Patient.maritalStatus',
      },
    },
  ],
};

function world(test: { after(hook: () => Promise<void>): void }) {
  const secret = randomBytes(32);
  const institution = { id: 1, name: 'hospital-a', checkReferences: false, validation: 'base' as const, guest: false };
  const institutions = {
    find: (name: string) => (name === institution.name ? institution : undefined),
    all: () => [institution],
  };
  const names = createNames({ institutions, identities: createIdentities(secret), publicUrl: PUBLIC_URL });
  const registry = createSearchRegistry();
  const describer = createDescriber({
    registry,
    registryOf: () => extendRegistry(registry, 'hospital-a', PARAMETERS.parameters).indexed,
    names,
    facts: createFactsReader(registry, names),
    tokenizer: createTokenizer(secret),
    sourcesOf: createSources(),
    contentKey: deriveKey(secret, 'content'),
  });
  const scribe = createScribe({
    secret,
    publicUrl: PUBLIC_URL,
    institutions,
    custom: { all: () => [PARAMETERS] },
    logger: silentLogger,
  });
  test.after(() => scribe.close());
  const items = FILES.map((file): ToDescribe => {
    const { bytes } = hl7Example(file);
    const text = Buffer.from(bytes).toString('utf8');
    const resource = parseJson(bytes) as object as Resource;
    const idToken = names.idToken(`hospital-a/${resource.resourceType}/${resource.id}`);
    return { resource, text, institution: 'hospital-a', idToken, version: 1 };
  });
  return { scribe, describer, items };
}

type World = ReturnType<typeof world>;

/** The first large request starts the thread and is not kept waiting for it. */
async function isUp({ scribe, items }: World): Promise<void> {
  assert.equal(await scribe.describe(items), undefined);
  await until('the thread is up', async () => (await scribe.describe(items)) !== undefined);
}

test('the thread describes what the server itself would', async (t) => {
  const here = world(t);
  const all = describeElsewhere(here.scribe, here.describer);
  const before = await all(here.items);
  await isUp(here);
  assert.deepEqual(await all(here.items), before);
  assert.ok(before.every(({ tokens, contentToken }) => tokens.length > 1 && contentToken !== ''));
});

/** Neither its policyRule nor its root says which way it goes. */
const UNENFORCEABLE: Consent = {
  resourceType: 'Consent',
  id: 'c',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: 'Patient/example' },
};

test('a Consent is described here, where it may be refused, whatever comes along', async (t) => {
  const here = world(t);
  await isUp(here);
  const [item] = here.items;
  assert.ok(item);
  const consent = { ...item, resource: UNENFORCEABLE };
  await assert.rejects(describeElsewhere(here.scribe, here.describer)([...here.items, consent]), {
    code: 'unenforceable-consent',
  });
});

test('what the thread seals opens, and is bound to the same leaf', async (t) => {
  const here = world(t);
  await isUp(here);
  const wrapping = { kid: 'k.1', key: createSecretKey(randomBytes(32)), header: protectedHeader({ kid: 'k.1' }) };
  const jobs = here.items.map(({ resource, text, idToken }, index) => ({
    wrapping,
    facts: {
      institution: 'hospital-a',
      type: resource.resourceType,
      id: resource.id ?? '',
      idToken,
      version: 2,
      interaction: index === 0 ? ('delete' as const) : ('update' as const),
      at: '2026-01-01T00:00:00.000Z',
      author: 'his-a',
      subjects: ['00000000-0000-4000-8000-000000000001'],
      undetermined: false,
      sortKeys: {},
      content: index === 0 ? undefined : text,
      previous: randomBytes(32),
    },
  }));
  const refused = () => Promise.reject(new Error('this was to be done in the thread'));
  const sealed = await sealElsewhere(here.scribe, refused)(jobs);
  for (const [index, { facts }] of jobs.entries()) {
    const parts = sealed[index];
    assert.ok(parts);
    const opened = openVersion(facts, parts.sealed, parts.envelope, wrapping.key);
    assert.equal(opened.content?.toString('utf8'), facts.content);
    assert.equal(leafSecrets(facts, parts.sealed, parts.envelope, wrapping.key).cid, parts.cid);
    assert.equal(parts.leafHash.length, 32);
  }
});

test('few entries, and what the thread cannot do, are done here', async (t) => {
  const here = world(t);
  await isUp(here);
  const few = here.items.slice(0, 3);
  assert.equal(await here.scribe.describe(few), undefined);
  assert.equal((await describeElsewhere(here.scribe, here.describer)(few)).length, 3);
  const [item] = here.items;
  assert.ok(item);
  assert.equal(await here.scribe.describe([...here.items, { ...item, text: '{' }]), undefined);
  await here.scribe.close();
  assert.equal(await here.scribe.describe(here.items), undefined);
  assert.deepEqual(await sealElsewhere(here.scribe, sealHere(createRandomPool()))([]), []);
});
