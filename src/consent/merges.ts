import type { Resource } from '@medplum/fhirtypes';
import { parseReference } from '../fhir/references/reference.ts';
import { type Merge, parseMerge } from '../repository/merges.ts';
import type { Names } from '../repository/names.ts';
import type { StoredPolicy } from './consent-store.ts';
import type { ConsentPolicy } from './policy.ts';

/** Kinds of Patient.link that say that both are the same record (http://hl7.org/fhir/R4/valueset-link-type.html). */
const MERGING: ReadonlySet<string | undefined> = new Set(['replaced-by', 'replaces']);

/**
 * The Patients that a Patient says it replaces or is replaced by, `{institution}/Patient/{id}`. Only those of its own
 * base: of another institution's patients nobody else says who they are.
 */
export function mergeLinks(resource: Resource, institution: string, names: Names): readonly string[] {
  if (resource.resourceType !== 'Patient') return [];
  const self = names.name(institution, 'Patient', resource.id ?? '');
  const others = (resource.link ?? []).flatMap(({ type, other }) => {
    const reference = MERGING.has(type) ? parseReference(other?.reference ?? '') : undefined;
    const name = reference === undefined ? undefined : names.nameOf(reference, institution);
    return name?.startsWith(`${institution}/Patient/`) && name !== self ? [name] : [];
  });
  return [...new Set(others)];
}

/**
 * The consents as they hold for a record's patients (DESIGN §7.6): those of everyone whom one is merged with hold for
 * that one too, and their permissions only where they were given after the merge.
 *
 * @param merges of the record's patients, as the database tells them
 */
export function mergedPolicies(
  policies: readonly StoredPolicy[],
  merges: readonly string[],
  patients: readonly string[],
  names: Names,
): readonly ConsentPolicy[] {
  if (merges.length === 0) return policies;
  const all = merges.map(parseMerge);
  return patients.flatMap((patient) => {
    const token = names.idToken(patient);
    const own = all.filter((merge) => merge.patient === token);
    return policies.flatMap((policy) => {
      const of = policy.patient === undefined ? undefined : names.idToken(policy.patient);
      const merge = own.find(({ other }) => other === of);
      if (merge === undefined) return policy.patient === patient ? [policy] : [];
      return [{ ...policy, patient, suspended: isBefore(policy, merge) }];
    });
  });
}

/** Rows of versions are numbered in order, among those who wait for the same patient's lock. */
function isBefore({ versionId }: StoredPolicy, { since }: Merge): boolean {
  return versionId < since;
}
