/** The consent machinery of a node over a database of the test's own: everything but HTTP, tokens and the trail. */
import type { Consent, Resource } from '@medplum/fhirtypes';
import { parseScope } from '../../src/auth/scopes.ts';
import { consentNames, createConsentStore } from '../../src/consent/consent-store.ts';
import { createDescriber } from '../../src/consent/describe.ts';
import { createGuardedReader } from '../../src/consent/guarded-reader.ts';
import { parseConsent } from '../../src/consent/parse-consent.ts';
import type { ConsentPolicy } from '../../src/consent/policy.ts';
import { createPrincipalResolver } from '../../src/consent/principal.ts';
import { createFactsReader } from '../../src/consent/record-facts.ts';
import { noFaults } from '../../src/faults.ts';
import { createSearchRegistry } from '../../src/fhir/search/registry.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { createCommonTokens } from '../../src/repository/common-tokens.ts';
import { loadInstitutions } from '../../src/repository/institutions.ts';
import { createNames } from '../../src/repository/names.ts';
import { createPermittedReader } from '../../src/repository/permitted.ts';
import { createRecordOpener } from '../../src/repository/records.ts';
import { sealHere } from '../../src/repository/seal-draft.ts';
import { createVersionLoader } from '../../src/repository/version-loader.ts';
import { createVersionWriter, type VersionDraft } from '../../src/repository/write.ts';
import { createJournal, type Principal, type RequestContext } from '../../src/request-context.ts';
import { createSources } from '../../src/sealing/blind-index/sources.ts';
import { createTokenizer } from '../../src/sealing/blind-index/tokenizer.ts';
import { createIdentities, deriveKey } from '../../src/sealing/identity.ts';
import { createKeyService } from '../../src/sealing/key-service.ts';
import { createMasterKey } from '../../src/sealing/master-key.ts';
import { createRandomPool } from '../../src/sealing/random.ts';
import { ASKED } from '../support/consent-fixtures.ts';
import { testDatabase } from '../support/test-database.ts';

export type World = Awaited<ReturnType<typeof createWorld>>;

export const PUBLIC_URL = 'https://node.example';
/** The one instant of every request here, unless a test says otherwise. */
export const NOW = Date.UTC(2024, 5, 15, 12);

/** A version to be written. A deletion keeps what the version before had; it is given that one's content. */
export interface Entry {
  readonly institution: string;
  readonly resource: Resource & { readonly id: string };
  /** 1 unless said otherwise. */
  readonly version?: number;
  readonly deleted?: boolean;
}

/** @param test a test's context, or `{ after }` of `node:test` inside of a suite */
export async function createWorld(
  test: { after(hook: () => Promise<void>): void },
  institutionNames: readonly string[],
  options: { readonly logger?: Logger; readonly onDisagreement?: () => void } = {},
) {
  const { database, recordsUrl } = await testDatabase({ after: (hook) => test.after(hook as () => Promise<void>) });
  await database.query('writer', 'insert into institution (name) select unnest($1::text[])', [institutionNames]);
  const secret = Buffer.alloc(32, 7);
  const random = createRandomPool();
  const master = createMasterKey([Buffer.alloc(32, 9)]);
  const keys = createKeyService({ database, master, faults: noFaults });
  const identities = createIdentities(secret);
  const tokenizer = createTokenizer(secret);
  const institutions = await loadInstitutions(database, silentLogger);
  const names = createNames({ institutions, identities, publicUrl: PUBLIC_URL });
  const registry = createSearchRegistry();
  const facts = createFactsReader(registry, names);
  const principals = createPrincipalResolver({ institutions, names, tokenizer });
  const contentKey = deriveKey(secret, 'content');
  const registryOf = () => registry;
  const sourcesOf = createSources();
  const describer = createDescriber({ registry, registryOf, names, facts, tokenizer, sourcesOf, contentKey });
  const writer = createVersionWriter({ database, keys, identities, seal: sealHere(random), faults: noFaults });
  const content = { get: () => Promise.resolve(undefined) };
  const loader = createVersionLoader(database);
  const opener = createRecordOpener({ keys, identities, institutions, loader, content, cacheBytes: 0 });
  const reader = createPermittedReader(database, createCommonTokens(database, silentLogger, Date.now));
  const guarded = createGuardedReader({
    reader,
    opener,
    consents: createConsentStore(loader, opener, names),
    principals,
    facts,
    names,
    logger: options.logger ?? silentLogger,
    ...(options.onDisagreement === undefined ? {} : { onDisagreement: options.onDisagreement }),
  });

  function draftOf({ institution: name, resource, version = 1, deleted = false }: Entry): VersionDraft {
    const institution = institutions.find(name);
    if (institution === undefined) throw new Error(`There is no institution ${name}`);
    const { resourceType: type, id } = resource;
    const { patientNames: _, consent, ...description } = describer.describe(resource, name, version);
    const header = { institution, type, id, idToken: names.idToken(names.name(name, type, id)), version };
    const at = new Date(NOW).toISOString();
    const previous = version === 1 ? undefined : Buffer.alloc(32);
    const rules =
      consent === undefined ? {} : { consent: deleted ? { ...consent, present: false, rules: [] } : consent };
    const common = { ...header, at, previous, contentToken: undefined, ...rules };
    if (deleted) {
      return {
        ...common,
        ...description,
        interaction: 'delete',
        content: undefined,
        tokens: [],
        traits: [],
        sortKeys: {},
      };
    }
    const interaction = version === 1 ? 'create' : 'update';
    return { ...common, ...description, interaction, content: JSON.stringify(resource) };
  }

  return {
    database,
    recordsUrl,
    institutions,
    names,
    tokenizer,
    facts,
    registry,
    principals,
    reader,
    loader,
    guarded,
    draftOf,
    async write(entries: readonly Entry[]): Promise<void> {
      if (entries.length > 0) await writer.write({ author: 'test', drafts: entries.map(draftOf) });
    },
    policyOf(consent: Consent & { readonly id: string }, institution: string, version = 1): ConsentPolicy {
      return parseConsent(consent, consentNames(names, institution, consent.id, version));
    },
  };
}

/** A request as authentication makes it. Scopes are written as SMART has them. */
export function contextOf(
  principal: Omit<Principal, 'clientId' | 'scopes' | 'administrator'> & { readonly scopes: string },
  more: Partial<Pick<RequestContext, 'instant' | 'base' | 'actingAs'>> = {},
): RequestContext {
  const scopes = principal.scopes
    .split(' ')
    .map(parseScope)
    .filter((scope) => scope !== undefined);
  return {
    requestId: 'test',
    principal: { ...principal, clientId: 'test', scopes, administrator: false },
    base: more.base ?? { kind: 'union' },
    instant: more.instant ?? NOW,
    asked: ASKED,
    actingAs: more.actingAs ?? [],
    journal: createJournal(),
  };
}
