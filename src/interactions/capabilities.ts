import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { RESOURCE_TYPES } from '../fhir/definitions/definitions.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import { SUPPORTED_PARAMETER_TYPES } from '../repository/search-criteria.ts';
import { isOperationOf, OPERATIONS, type Operation } from './operations/table.ts';
import type { Services } from './services.ts';

/** When this version's capabilities were settled; changes with the code. */
const DATE = '2026-11-22';
const SYSTEM_INTERACTIONS = ['transaction', 'batch', 'history-system'] as const;
const TYPE_INTERACTIONS = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
] as const;

/** Our own, beside those of the table. */
const OWN_OPERATIONS = ['evidence', 'certificate', 'explain-access'] as const;
const PATIENT_OPERATIONS = [...OWN_OPERATIONS, 'break-glass'] as const;

/**
 * The CapabilityStatement of a base, generated from the tables that the code runs on
 * (http://hl7.org/fhir/R4/capabilitystatement.html).
 *
 * @param institution undefined for the union, which is searched only
 */
export function capabilities(
  { registry, publicUrl }: Pick<Services, 'registry' | 'publicUrl'>,
  institution: string | undefined,
  softwareVersion: string,
): CapabilityStatement {
  const url = institution === undefined ? `${publicUrl}/fhir` : `${publicUrl}/${institution}/fhir`;
  const union = institution === undefined;
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: DATE,
    kind: 'instance',
    software: { name: 'MedSeal', version: softwareVersion },
    implementation: { description: union ? 'Search over all institutions' : `Records of ${institution}`, url },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        security: {
          service: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' },
              ],
            },
          ],
          description: 'SMART Backend Services; patients’ Consents are enforced on every read and search',
          extension: [
            {
              url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
              extension: [{ url: 'token', valueUri: `${publicUrl}/auth/token` }],
            },
          ],
        },
        resource: RESOURCE_TYPES.map((type) => resourceOf(type, registry.searchParametersOf(type), union)),
        ...(union
          ? {}
          : {
              interaction: SYSTEM_INTERACTIONS.map((code) => ({ code })),
              operation: OPERATIONS.filter(({ system }) => system !== undefined).map(told),
            }),
      },
    ],
  };
}

function told({ name, definition }: Operation): { name: string; definition: string } {
  return { name, definition };
}

function resourceOf(
  type: string,
  parameters: ReadonlyMap<string, SearchParameter>,
  union: boolean,
): CapabilityStatementRestResource {
  const searchParam = [...parameters.values()]
    .filter((parameter) => SUPPORTED_PARAMETER_TYPES.has(parameter.type))
    .map(({ code, type: kind, url }) => ({ name: code, type: kind, definition: url }));
  const header = { type: type as CapabilityStatementRestResource['type'], searchParam };
  if (union) return { ...header, interaction: [{ code: 'search-type' }] };
  return {
    ...header,
    interaction: TYPE_INTERACTIONS.map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'single',
    referencePolicy: ['literal', 'local', 'resolves'],
    operation: [
      ...OPERATIONS.filter((one) => (one.type ?? one.instance) !== undefined && isOperationOf(one, type)).map(told),
      ...(type === 'Patient' ? PATIENT_OPERATIONS : OWN_OPERATIONS).map((name) => ({
        name,
        definition: `https://medseal.org/fhir/OperationDefinition/${name}`,
      })),
    ],
  };
}
