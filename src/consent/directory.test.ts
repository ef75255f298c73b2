import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compartmentParameters } from '../fhir/definitions/compartments.ts';
import { isResourceType } from '../fhir/definitions/definitions.ts';
import { DIRECTORY_TYPES } from './directory.ts';

test('every type of the directory is one of R4, and none is in the Patient compartment by itself', () => {
  for (const type of DIRECTORY_TYPES) {
    assert.ok(isResourceType(type), type);
    assert.deepEqual(compartmentParameters('Patient', type), [], type);
  }
});

test('the directory has the types that DESIGN 7.2 names', () => {
  for (const type of [
    ...['Organization', 'OrganizationAffiliation', 'Location', 'HealthcareService', 'Endpoint', 'Practitioner'],
    ...['PractitionerRole', 'Medication', 'MedicationKnowledge', 'Substance', 'ActivityDefinition', 'PlanDefinition'],
    ...['ObservationDefinition', 'SpecimenDefinition', 'ChargeItemDefinition', 'Questionnaire'],
    // Conformance and terminology, as R4's resource list has them.
    ...['CapabilityStatement', 'StructureDefinition', 'ImplementationGuide', 'SearchParameter', 'MessageDefinition'],
    ...['OperationDefinition', 'CompartmentDefinition', 'StructureMap', 'GraphDefinition', 'ExampleScenario'],
    ...['CodeSystem', 'ValueSet', 'ConceptMap', 'NamingSystem', 'TerminologyCapabilities'],
  ]) {
    assert.ok(DIRECTORY_TYPES.has(type), type);
  }
  assert.equal(DIRECTORY_TYPES.size, 31);
});
