import type { Consent } from '@medplum/fhirtypes';

const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';

/** What the patient of the story permits: research, by one institute, on Patient and Observation and nothing else. */
export function researchConsent(id: string, patient: string, status: 'active' | 'inactive', at: string): Consent {
  return {
    resourceType: 'Consent',
    id,
    status,
    scope: { coding: [{ system: `${TERMINOLOGY}/consentscope`, code: 'research' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0', display: 'Consent Document' }] }],
    patient: { reference: `Patient/${patient}` },
    dateTime: at,
    policyRule: { coding: [{ system: `${TERMINOLOGY}/v3-ActCode`, code: 'OPTOUT' }] },
    provision: {
      type: 'permit',
      actor: [
        {
          role: { coding: [{ system: `${TERMINOLOGY}/v3-ParticipationType`, code: 'IRCP' }] },
          reference: { reference: 'Organization/research-institute' },
        },
      ],
      purpose: [{ system: `${TERMINOLOGY}/v3-ActReason`, code: 'HRESCH' }],
      class: ['Patient', 'Observation'].map((code) => ({ system: 'http://hl7.org/fhir/resource-types', code })),
    },
  };
}
