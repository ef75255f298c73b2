import type { Resource } from '@medplum/fhirtypes';
import type { Issue } from '../../errors.ts';
import type { ProfileValidator } from '../profiles/validate.ts';
import type { CheckInvariants } from './invariants.ts';

/** What a structurally valid resource may still lack: R4's invariants, and the profiles that it claims. */
export interface StrictValidator {
  /**
   * @param profiles canonicals to check instead of those in `meta.profile`
   * @param root FHIRPath of the resource itself where it is part of another
   * @returns errors, which refuse it where an institution's mode is strict, and warnings, which do not
   */
  validate(
    resource: Resource,
    options?: { readonly profiles?: readonly string[]; readonly root?: string },
  ): readonly Issue[];
}

/** @param load called when the first resource is validated: not every server ever does */
export function createStrictValidator(
  load: () => { readonly invariants: CheckInvariants; readonly profiles: ProfileValidator },
): StrictValidator {
  let loaded: ReturnType<typeof load> | undefined;
  return {
    validate(resource, { profiles, root = resource.resourceType } = {}) {
      loaded ??= load();
      return [...loaded.invariants(resource, root), ...loaded.profiles.validate(resource, profiles, root)];
    },
  };
}
