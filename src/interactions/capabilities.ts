import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { RESOURCE_TYPES } from '../fhir/definitions/definitions.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { CustomParameters } from '../repository/custom-parameters.ts';
import { isOperationOf, OPERATIONS, type Operation } from './operations/table.ts';
import { type SearchCapabilities, searchCapabilities } from './search/capabilities.ts';
import { COMPARTMENT_TYPES } from './search/target.ts';

/** When this version's capabilities were settled; changes with the code. */
const DATE = '2026-11-22';
const SYSTEM_INTERACTIONS = ['transaction', 'batch', 'history-system', 'search-system'] as const;
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

const COMPARTMENT_DEFINITION = 'http://hl7.org/fhir/CompartmentDefinition/';

const SEARCH_NOTES =
  'Every search also takes _has, _list, chains to any depth, _sort, _count, _total, _summary, _elements, _include and ' +
  '_revinclude (with :iterate and *). Not supported, and refused: _filter, _text, _content, _query, _contained, near, ' +
  '_sort=_score, and hierarchies of code systems that are not packaged.';

/** Worked out once for a registry: 148 types, each with what leads to it. */
const worked = new WeakMap<SearchRegistry, ReadonlyMap<string, SearchCapabilities>>();

function searchesOf(registry: SearchRegistry): ReadonlyMap<string, SearchCapabilities> {
  const known = worked.get(registry) ?? searchCapabilities(registry);
  worked.set(registry, known);
  return known;
}

/**
 * The CapabilityStatement of a base, generated from the tables that the code runs on
 * (http://hl7.org/fhir/R4/capabilitystatement.html).
 *
 * @param institution undefined for the union, which is searched only
 */
export function capabilities(
  { custom, publicUrl }: { readonly custom: Pick<CustomParameters, 'searched'>; readonly publicUrl: string },
  institution: string | undefined,
  softwareVersion: string,
): CapabilityStatement {
  const url = institution === undefined ? `${publicUrl}/fhir` : `${publicUrl}/${institution}/fhir`;
  const union = institution === undefined;
  const searches = searchesOf(custom.searched(institution ?? ''));
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
        documentation: SEARCH_NOTES,
        resource: RESOURCE_TYPES.map((type) => resourceOf(type, searches.get(type) ?? {}, union)),
        ...(union
          ? { interaction: [{ code: 'search-system' }] }
          : {
              interaction: SYSTEM_INTERACTIONS.map((code) => ({ code })),
              operation: OPERATIONS.filter(({ system }) => system !== undefined).map(told),
              compartment: COMPARTMENT_TYPES.map((type) => COMPARTMENT_DEFINITION + type.toLowerCase()),
            }),
      },
    ],
  };
}

function told({ name, definition }: Operation): { name: string; definition: string } {
  return { name, definition };
}

function resourceOf(type: string, searches: SearchCapabilities, union: boolean): CapabilityStatementRestResource {
  const header = { type: type as CapabilityStatementRestResource['type'], ...searches };
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
