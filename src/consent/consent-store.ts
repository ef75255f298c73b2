import type { Consent } from '@medplum/fhirtypes';
import { LRUCache } from 'lru-cache';
import { MedSealError } from '../errors.ts';
import { isResourceType } from '../fhir/definitions/definitions.ts';
import { parseReference } from '../fhir/references/reference.ts';
import type { Names } from '../repository/names.ts';
import type { PermittedRow } from '../repository/permitted.ts';
import type { RecordOpener } from '../repository/records.ts';
import type { VersionLoader } from '../repository/version-loader.ts';
import { type ConsentNames, parseConsent } from './parse-consent.ts';
import type { ConsentPolicy } from './policy.ts';

/** Consents out of their seal, by version row: a version never changes, so what is kept is never stale. */
export interface ConsentStore {
  load(versionIds: readonly bigint[]): Promise<readonly StoredPolicy[]>;
}

export interface StoredPolicy extends ConsentPolicy {
  /** Of the Consent's version. */
  readonly versionId: bigint;
}

const CACHE_SIZE = 20_000;

export function createConsentStore(loader: VersionLoader, opener: RecordOpener, names: Names): ConsentStore {
  const cache = new LRUCache<bigint, StoredPolicy>({ max: CACHE_SIZE });

  async function open(row: PermittedRow): Promise<StoredPolicy> {
    const { content, id, institution } = await opener.open(row);
    if (content === undefined) throw new MedSealError('sealed-content-damaged', 'A consent in force has no content');
    const consent = JSON.parse(content.toString('utf8')) as Consent;
    const { versionId, version } = row;
    const policy = { ...parseConsent(consent, consentNames(names, institution, id, version)), versionId };
    cache.set(versionId, policy);
    return policy;
  }

  return {
    async load(versionIds) {
      const policies = new Map<bigint, StoredPolicy>();
      for (const id of versionIds) {
        const known = cache.get(id);
        if (known !== undefined) policies.set(id, known);
      }
      const missing = versionIds.filter((id) => !policies.has(id));
      if (missing.length > 0) {
        for (const row of await loader.versions(missing)) policies.set(row.versionId, await open(row));
      }
      // A consent that is gone could have been the one that denies.
      if (policies.size !== versionIds.length) {
        throw new MedSealError('sealed-content-damaged', 'A consent in force is not there');
      }
      return [...policies.values()];
    },
  };
}

/** How the references in a Consent of `institution` are read. */
export function consentNames(names: Names, institution: string, id: string, version: number): ConsentNames {
  return {
    self: names.name(institution, 'Consent', id),
    version,
    resolve(reference) {
      const parsed = parseReference(reference);
      return parsed === undefined ? undefined : names.nameOf(parsed, institution);
    },
    isResourceType,
    isOwn: (name) => name.startsWith(`${institution}/`),
  };
}
