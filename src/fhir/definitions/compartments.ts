import table from './r4-compartments.json' with { type: 'json' };

/** The compartments of R4 (http://hl7.org/fhir/R4/compartmentdefinition.html). */
export type CompartmentType = keyof typeof table;

const COMPARTMENTS: Readonly<Record<CompartmentType, Readonly<Record<string, readonly string[]>>>> = table;

/**
 * Codes of the search parameters that place a resource of `resourceType` in a compartment; none when it is never in
 * one. `{def}` stands for the resource that defines the compartment.
 */
export function compartmentParameters(compartment: CompartmentType, resourceType: string): readonly string[] {
  const members = COMPARTMENTS[compartment];
  return Object.hasOwn(members, resourceType) ? (members[resourceType] ?? []) : [];
}

/** The resource types that can be in a compartment, sorted. */
export function compartmentResourceTypes(compartment: CompartmentType): readonly string[] {
  return Object.keys(COMPARTMENTS[compartment]);
}
