import assert from 'node:assert/strict';
import type { Observation, Patient } from '@medplum/fhirtypes';
import { cachedToken, type FhirClient, fhirClient } from '../support/fhir-client.ts';
import type { TestNode } from '../support/test-node.ts';

/** One of the node's own clients at an institution's base. */
export function clientOf(node: Pick<TestNode, 'url' | 'token'>, name: string, institution = 'hospital-a'): FhirClient {
  return fhirClient(
    `${node.url}/${institution}/fhir`,
    cachedToken(() => node.token(name)),
  );
}

export function patient(id: string, given: string): Patient {
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: id }],
    name: [{ family: '王', given: [given] }],
    birthDate: '1970-01-01',
  };
}

export function observation(id: string, of: string, value: number): Observation {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    subject: { reference: of },
    effectiveDateTime: '2026-11-01T08:00:00Z',
    valueQuantity: { value, unit: 'g/dL' },
  };
}

/** The answer of a write that must be accepted. */
export async function accepted<T extends { readonly status: number; readonly text: string }>(
  answer: Promise<T>,
): Promise<T> {
  const given = await answer;
  assert.ok(given.status >= 200 && given.status < 300, `${given.status} ${given.text}`);
  return given;
}

/** What `/ready` says of writes. */
export async function writesOf(node: Pick<TestNode, 'url'>): Promise<string> {
  return ((await (await fetch(`${node.url}/ready`)).json()) as { readonly writes: string }).writes;
}
