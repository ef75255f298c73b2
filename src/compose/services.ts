import type { Metrics } from '../api/metrics.ts';
import { createAccessRecorder } from '../consent/access-recorder.ts';
import { createActingAs } from '../consent/acting-as.ts';
import { createActorLookup } from '../consent/actor-lookup.ts';
import { createConsentAuthors } from '../consent/consent-author.ts';
import { createConsentStore } from '../consent/consent-store.ts';
import { createDescriber } from '../consent/describe.ts';
import { createDrafter } from '../consent/drafts.ts';
import { createEmergencies } from '../consent/emergencies.ts';
import { createExplainer } from '../consent/explain.ts';
import { createGuardedReader } from '../consent/guarded-reader.ts';
import { createGuardedTrail } from '../consent/guarded-trail.ts';
import { createGuardedWriter } from '../consent/guarded-writer.ts';
import { createLabelKeeper } from '../consent/label-keeper.ts';
import { createPrincipalResolver } from '../consent/principal.ts';
import { createFactsReader } from '../consent/record-facts.ts';
import { describeElsewhere, sealElsewhere } from '../consent/scribe/elsewhere.ts';
import { createScribe } from '../consent/scribe/scribe.ts';
import { createSearchParameterKeeper } from '../consent/search-parameter-keeper.ts';
import { type GuidePackage, readGuide } from '../fhir/profiles/package.ts';
import { createProfileValidator } from '../fhir/profiles/validate.ts';
import { createSearchRegistry } from '../fhir/search/registry.ts';
import { packagedTerminology } from '../fhir/terminology/packaged.ts';
import { createInvariants } from '../fhir/validation/invariants.ts';
import { createStrictValidator } from '../fhir/validation/strict.ts';
import { createValidator } from '../fhir/validation/validate.ts';
import { createCursors } from '../interactions/search/cursor.ts';
import type { Services } from '../interactions/services.ts';
import { createReplays } from '../interactions/write/replay.ts';
import { createActorRecords } from '../repository/actor-records.ts';
import { createCommonTokens } from '../repository/common-tokens.ts';
import { loadCustomParameters } from '../repository/custom-parameters.ts';
import { createEmergencyRows } from '../repository/emergencies.ts';
import { createOwnPartition } from '../repository/own-partition.ts';
import { createPastVersions } from '../repository/past-versions.ts';
import { createPermittedReader } from '../repository/permitted.ts';
import { createPermittedAccessReader } from '../repository/permitted-access.ts';
import { createReindexRuns } from '../repository/reindex-runs.ts';
import { sealHere } from '../repository/seal-draft.ts';
import { createVersionWriter } from '../repository/write.ts';
import { createSources } from '../sealing/blind-index/sources.ts';
import { createTokenizer } from '../sealing/blind-index/tokenizer.ts';
import { deriveKey } from '../sealing/identity.ts';
import type { CertificateRenderer } from '../trail/certificate/certificate.ts';
import { createEvidenceCollector } from '../trail/evidence/collect.ts';
import { createReceiptSigner } from '../trail/receipt.ts';

import type { Auth } from './authentication.ts';
import type { Foundation } from './foundation.ts';
import type { Trail } from './trail.ts';
/** What the interactions stand on: the guarded repository and its surroundings. */
export async function composeServices(
  foundation: Foundation,
  trail: Trail,
  metrics: Metrics,
  { box, emergencyTokens }: Pick<Auth, 'box' | 'emergencyTokens'>,
) {
  const { database, keys, identities, institutions, names, loader, opener, secret, random, clock } = foundation;
  const { faults, logger, publicUrl } = foundation;
  const registry = createSearchRegistry();
  const guide = lazyGuide();
  const sourcesOf = createSources();
  const tokenizer = createTokenizer(secret);
  const facts = createFactsReader(registry, names);
  const principals = createPrincipalResolver({ institutions, names, tokenizer });
  const contentKey = deriveKey(secret, 'content');
  const custom = await loadCustomParameters({ database, loader, opener, institutions, registry, logger });
  const registryOf = custom.indexed;
  const describer = createDescriber({ registry, registryOf, names, facts, tokenizer, sourcesOf, contentKey });
  const scribe = createScribe({ secret, publicUrl, institutions, custom, logger });
  const seal = sealElsewhere(scribe, sealHere(random));
  const writer = createVersionWriter({ database, keys, identities, seal, faults, onCommit: trail.worker.wake });
  const records = createActorRecords(database);
  const lookup = createActorLookup({ records, loader, opener, institutions, names, tokenizer });
  const actingAs = await createActingAs(lookup, names, records.onChange);
  const consents = createConsentStore(loader, opener, names);
  const authors = createConsentAuthors({ names, loader, consents, principals, facts, tokenizer });
  const searchParameters = createSearchParameterKeeper({ custom, registry, tokenizer, logger });
  const describeAll = describeElsewhere(scribe, describer);
  const drafter = createDrafter({ describeAll, names, loader, opener, facts, searchParameters });
  const recorder = createAccessRecorder(trail.access, institutions, names);
  const accessReader = createPermittedAccessReader(database);
  const services: Services = {
    reader: createGuardedReader({
      reader: createPermittedReader(database, createCommonTokens(database, logger, clock.now)),
      opener,
      consents,
      principals,
      facts,
      names,
      logger,
      onDisagreement: metrics.countDisagreement,
    }),
    writer: createGuardedWriter({
      writer,
      drafter,
      describer,
      institutions,
      names,
      facts,
      principals,
      authors,
      labels: createLabelKeeper(facts, tokenizer),
      searchParameters,
      recorder,
    }),
    emergencies: createEmergencies({ rows: createEmergencyRows(database), box, tokens: emergencyTokens, institutions }),
    explainer: createExplainer({
      past: createPastVersions(database),
      loader,
      opener,
      consents,
      principals,
      actingAs,
      facts,
      names,
      institutions,
    }),
    trail: createGuardedTrail({ reader: accessReader, trail: trail.access, principals, institutions }),
    own: createOwnPartition(database, keys),
    institutions,
    names,
    registry,
    custom,
    reindexRuns: createReindexRuns(database),
    validator: createValidator(),
    strictValidator: createStrictValidator(() => {
      const { profiles, isMember } = guide();
      return { invariants: createInvariants(), profiles: createProfileValidator(profiles, isMember) };
    }),
    terminology: () => packagedTerminology(guide().terminology),
    tokenizer,
    sourcesOf,
    receipts: createReceiptSigner(keys),
    evidence: createEvidenceCollector({ database, ledger: trail.ledger, past: trail.past }),
    certificates: lazyCertificates(),
    roots: trail.roots,
    cursors: createCursors(secret, random),
    replays: createReplays({ database, keys, identities, secret, random }),
    fence: trail.fence,
    publicUrl,
  };
  return {
    services,
    describer,
    recorder,
    actingAs,
    async close() {
      await custom.close();
      await scribe.close();
    },
  };
}

/** Read when a server is first asked to validate strictly, or about terminology: many never are. */
function lazyGuide(): () => GuidePackage {
  let guide: GuidePackage | undefined;
  return () => {
    guide ??= readGuide();
    return guide;
  };
}

/** Fonts and PDF are loaded with the first certificate, not at the start. */
function lazyCertificates(): CertificateRenderer {
  let renderer: Promise<CertificateRenderer> | undefined;
  return async (...asked) => {
    renderer ??= import('../trail/certificate/certificate.ts').then((module) => module.createCertificateRenderer());
    return (await renderer)(...asked);
  };
}
