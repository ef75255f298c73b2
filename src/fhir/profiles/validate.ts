import type { Resource } from '@medplum/fhirtypes';
import type { Issue } from '../../errors.ts';
import { resourceNode } from '../fhirpath/fhirpath.ts';
import { withoutVersion } from '../terminology/expansion.ts';
import { checkProfile } from './check.ts';
import type { CodeMembership, Profiles } from './profile.ts';

/** Validates a resource that is valid R4 against profiles as well. */
export interface ProfileValidator {
  /**
   * What it does not have that the profiles ask for (http://hl7.org/fhir/R4/profiling.html#resources); an unknown
   * profile, and one for another type, is an issue of its own.
   *
   * @param canonicals those to be checked; what the resource claims in `meta.profile` when absent
   * @param root FHIRPath of the resource itself where it is part of another
   * @returns at most 50 errors and warnings
   */
  validate(resource: Resource, canonicals?: readonly string[], root?: string): readonly Issue[];
}

const MAX_ISSUES = 50;

export function createProfileValidator(profiles: Profiles, isMember: CodeMembership): ProfileValidator {
  function validateOne(resource: Resource, canonical: string, root: string, claimed: boolean): readonly Issue[] {
    const profile = profiles.get(withoutVersion(canonical));
    const expression = claimed ? `${root}.meta.profile` : root;
    if (profile === undefined) {
      const diagnostics = `${expression}: this server does not know the profile ${canonical}, so it was not checked`;
      return [{ severity: claimed ? 'warning' : 'error', code: 'not-found', diagnostics, expression }];
    }
    if (profile.type !== resource.resourceType) {
      const diagnostics = `${expression}: the profile ${canonical} is of ${profile.type}, not of ${resource.resourceType}`;
      return [{ severity: 'error', code: 'invalid', diagnostics, expression }];
    }
    const issues: Issue[] = [];
    checkProfile(profile, resourceNode(resource), root, { resource, profiles, isMember, issues });
    return issues;
  }

  return {
    validate(resource, canonicals, root = resource.resourceType) {
      const asked = canonicals ?? resource.meta?.profile ?? [];
      const issues = asked.flatMap((one) => validateOne(resource, one, root, canonicals === undefined));
      // A profile and one of its slices may say the same.
      const known = new Map(issues.map((issue) => [`${issue.severity} ${issue.diagnostics}`, issue]));
      return [...known.values()].slice(0, MAX_ISSUES);
    },
  };
}
