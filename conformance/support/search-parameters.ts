import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Bundle, Parameters, ParametersParameter, SearchParameter } from '@medplum/fhirtypes';
import type { SearchRegistry } from '../../src/fhir/search/registry.ts';
import type { CustomParameters } from '../../src/repository/custom-parameters.ts';
import type { FhirClient } from './fhir-client.ts';
import { until } from './until.ts';

/** A SearchParameter of our implementation guide. */
export function guideParameter(name: string): SearchParameter {
  const file = new URL(`../../fhir-profiles/search-parameters/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as SearchParameter;
}

/** For a world without institutions' own parameters: R4's. */
export function noCustomParameters(registry: SearchRegistry): CustomParameters {
  return {
    indexed: () => registry,
    searched: () => registry,
    of: (institution) => ({ institution, revision: 0, parameters: [] }),
    all: () => [],
    refresh: async () => undefined,
    onChange: () => undefined,
    close: async () => undefined,
  };
}

export function searchParameter(id: string, more: Partial<SearchParameter>): SearchParameter {
  return {
    resourceType: 'SearchParameter',
    id,
    url: `https://example.org/SearchParameter/${id}`,
    name: 'Example',
    status: 'active',
    description: 'An example',
    code: id,
    base: ['Patient'],
    type: 'token',
    expression: 'Patient.maritalStatus',
    ...more,
  };
}

export async function putParameter(client: FhirClient, resource: SearchParameter): Promise<void> {
  const answer = await client.put(`SearchParameter/${resource.id}`, resource);
  assert.ok(answer.status === 200 || answer.status === 201, answer.text);
}

export interface RunStatus {
  readonly state: string;
  readonly total: number;
  readonly done: number;
}

/** What $reindex-status tells. */
export async function reindexStatus(client: FhirClient) {
  const answer = await client.get('$reindex-status');
  assert.equal(answer.status, 200, answer.text);
  const { parameter = [] } = answer.json<Parameters>();
  const named = (name: string) => parameter.filter((one) => one.name === name);
  return {
    runs: named('run').map(
      (run): RunStatus => ({
        state: String(partOf(run, 'state')?.valueCode),
        total: Number(partOf(run, 'total')?.valueUnsignedInt),
        done: Number(partOf(run, 'done')?.valueUnsignedInt),
      }),
    ),
    states: Object.fromEntries(
      named('parameter').map((one) => [partOf(one, 'code')?.valueCode, partOf(one, 'state')?.valueCode]),
    ),
  };
}

function partOf({ part = [] }: ParametersParameter, name: string): ParametersParameter | undefined {
  return part.find((one) => one.name === name);
}

const LONG_ENOUGH = 120_000;

/** Waits until everything is indexed. */
export async function untilIndexed(client: FhirClient): Promise<void> {
  await until(
    'all records are indexed',
    async () => {
      const { runs, states } = await reindexStatus(client);
      return runs.every(({ state }) => state === 'finished') && !Object.values(states).includes('indexing');
    },
    LONG_ENOUGH,
  );
}

/** Ids of what a search finds. */
export async function idsOf(client: FhirClient, question: string): Promise<readonly string[]> {
  const answer = await client.get(question);
  assert.equal(answer.status, 200, `${question}: ${answer.text}`);
  const entries = answer.json<Bundle>().entry ?? [];
  return entries.map(({ resource }) => resource?.id ?? '').sort();
}
