import type { Run } from './environment.ts';
import { strings } from './node.ts';
import type { StaticTypes } from './types.ts';

export interface Variable {
  readonly run: Run;
  readonly types: StaticTypes;
}

const ENVIRONMENT: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['context', { run: (_, env) => env.context, types: undefined }],
  ['resource', { run: (_, env) => [env.resource], types: undefined }],
  ['rootResource', { run: (_, env) => [env.rootResource], types: undefined }],
  ['ucum', constant('http://unitsofmeasure.org')],
  ['sct', constant('http://snomed.info/sct')],
  ['loinc', constant('http://loinc.org')],
]);

/**
 * What `%name` stands for (https://hl7.org/fhirpath/N1/#environment-variables,
 * http://hl7.org/fhir/R4/fhirpath.html#variables); undefined for an unknown name.
 */
export function variable(name: string): Variable | undefined {
  if (name.startsWith('vs-')) return constant(`http://hl7.org/fhir/ValueSet/${name.slice(3)}`);
  if (name.startsWith('ext-')) return constant(`http://hl7.org/fhir/StructureDefinition/${name.slice(4)}`);
  return ENVIRONMENT.get(name);
}

function constant(text: string): Variable {
  const result = strings(text);
  return { run: () => result, types: ['System.String'] };
}
