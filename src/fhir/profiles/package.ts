import { readdirSync, readFileSync } from 'node:fs';
import type { CodeSystem, Resource, StructureDefinition, ValueSet } from '@medplum/fhirtypes';
import { parseJson } from '../json/parse.ts';
import { terminologyOf } from '../terminology/content.ts';
import type { PackagedTerminology } from '../terminology/packaged.ts';
import { packagedMembership } from './membership.ts';
import type { CodeMembership, Profiles } from './profile.ts';
import { readProfile } from './read-profile.ts';

/** Our implementation guide as the server and its tests use it: `fhir-profiles/` at the top of the repository. */
export interface GuidePackage {
  readonly profiles: Profiles;
  readonly isMember: CodeMembership;
  /** Its code systems and value sets. */
  readonly terminology: PackagedTerminology;
  /** Everything in it but examples. */
  readonly resources: readonly Resource[];
}

const GUIDE = new URL('../../../fhir-profiles/', import.meta.url);
const FOLDERS = ['structure-definitions', 'value-sets', 'code-systems', 'search-parameters'] as const;

/** @throws MedSealError `invalid-resource` when a profile cannot be read */
export function readGuide(root: URL = GUIDE): GuidePackage {
  const resources = FOLDERS.flatMap((folder) => readFolder(new URL(`${folder}/`, root)));
  const definitions = resources.filter((resource): resource is StructureDefinition => {
    return resource.resourceType === 'StructureDefinition';
  });
  const profiles = new Map(definitions.map(readProfile).map((profile) => [profile.url, profile]));
  const valueSets = resources.filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet');
  const codeSystems = resources.filter((resource): resource is CodeSystem => resource.resourceType === 'CodeSystem');
  const terminology = terminologyOf(codeSystems, valueSets);
  return { profiles, isMember: packagedMembership(terminology), terminology, resources };
}

/** The resources in the JSON files of a folder, in the order of their names. */
export function readFolder(folder: URL): readonly Resource[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => parseJson(readFileSync(new URL(name, folder))) as object as Resource);
}
