/** What a token's scopes leave of a search that leads beyond its own type: includes, chains, compartments, lists. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../../src/errors.ts';
import { terminologyOf } from '../../src/fhir/terminology/content.ts';
import { packagedTerminology } from '../../src/fhir/terminology/packaged.ts';
import { queryPairs } from '../../src/interactions/query-text.ts';
import { createCursors } from '../../src/interactions/search/cursor.ts';
import { search } from '../../src/interactions/search/search.ts';
import type { Services } from '../../src/interactions/services.ts';
import { createSources } from '../../src/sealing/blind-index/sources.ts';
import { noCustomParameters } from '../support/search-parameters.ts';
import { contextOf, createWorld, PUBLIC_URL } from './world.ts';

const BASE = { kind: 'institution', institution: 'hospital-a' } as const;
const PATIENT = { reference: 'Patient/p' };
const RECORDS: readonly (Resource & { readonly id: string })[] = [
  { resourceType: 'Organization', id: 'o', name: 'North' },
  { resourceType: 'Patient', id: 'p', gender: 'female', managingOrganization: { reference: 'Organization/o' } },
  {
    resourceType: 'Encounter',
    id: 'e',
    status: 'finished',
    class: { code: 'AMB' },
    subject: PATIENT,
  },
  {
    resourceType: 'Observation',
    id: 'b',
    status: 'final',
    code: { coding: [{ code: '718-7' }] },
    subject: PATIENT,
    encounter: { reference: 'Encounter/e' },
  },
  {
    resourceType: 'Observation',
    id: 'c',
    status: 'final',
    code: { coding: [{ code: 'secret' }] },
    subject: PATIENT,
  },
  {
    resourceType: 'List',
    id: 'l',
    status: 'current',
    mode: 'working',
    subject: PATIENT,
    entry: [{ item: { reference: 'Observation/b' } }],
  },
];

/** Scopes, the search, and what it shows: names, or the code it is refused with. */
const CASES: readonly (readonly [scopes: string, path: string, shown: string])[] = [
  ['system/*.rs', 'Observation?_id=b&_include=*', 'Observation/b Encounter/e Patient/p'],
  ['system/Observation.rs', 'Observation?_id=b&_include=*', 'Observation/b'],
  ['system/Observation.rs system/Encounter.rs', 'Observation?_id=b&_include=*', 'Observation/b Encounter/e'],
  ['system/Observation.rs', 'Observation?_include=Observation:patient', 'forbidden'],
  ['system/Observation.rs system/Patient.r', 'Observation?_include=Observation:patient', 'forbidden'],
  [
    'system/Observation.rs system/Patient.rs',
    'Observation?_include=Observation:patient&_id=b',
    'Observation/b Patient/p',
  ],
  [
    'system/Observation.rs system/Patient.rs',
    'Observation?_include=Observation:subject&_id=b',
    'Observation/b Patient/p',
  ],
  ['system/Observation.rs system/Group.rs', 'Observation?_include=Observation:subject&_id=b', 'Observation/b'],
  ['system/Patient.rs', 'Patient?_revinclude=Observation:patient', 'forbidden'],
  ['system/Patient.rs', 'Patient?_revinclude=*', 'Patient/p'],
  ['system/Patient.rs system/Encounter.rs', 'Patient?_revinclude=*', 'Patient/p Encounter/e'],
  [
    'system/Patient.rs system/Observation.rs?code=718-7',
    'Patient?_revinclude=Observation:patient',
    'Patient/p Observation/b',
  ],
  [
    'system/Observation.rs system/Patient.rs',
    'Observation?_id=b&_include=Observation:patient&_include:iterate=Patient:organization',
    'forbidden',
  ],
  ['system/Observation.rs', 'Observation?patient.gender=female', 'forbidden'],
  ['system/Observation.rs system/Patient.rs', 'Observation?patient.organization.name=north', 'forbidden'],
  [
    'system/Observation.rs system/Patient.rs system/Organization.rs',
    'Observation?patient.organization.name=north',
    'Observation/b Observation/c',
  ],
  ['system/Patient.rs system/Observation.rs?code=718-7', 'Patient?_has:Observation:patient:code=secret', ''],
  ['system/Patient.rs system/Observation.rs?code=718-7', 'Patient?_has:Observation:patient:code=718-7', 'Patient/p'],
  [
    'system/Patient.rs system/Encounter.rs system/Observation.rs?code=718-7',
    'Patient?_has:Encounter:patient:_has:Observation:encounter:code=718-7',
    'Patient/p',
  ],
  [
    'system/Patient.rs system/Encounter.rs',
    'Patient?_has:Encounter:patient:_has:Observation:encounter:code=718-7',
    'forbidden',
  ],
  ['system/Observation.rs', 'Observation?_list=l', 'forbidden'],
  ['system/Observation.rs system/List.rs', 'Observation?_list=l', 'Observation/b'],
  ['system/Observation.rs', '?_type=Observation,Patient', 'forbidden'],
  ['system/Observation.rs', '?_id=b,p', 'Observation/b'],
  ['system/Observation.rs?code=718-7', '?_type=Observation', 'Observation/b'],
  ['system/Patient.cud', '?_id=b,p', 'forbidden'],
  ['system/Observation.rs', 'Patient/p/*', 'Observation/b Observation/c'],
  ['system/Observation.rs', 'Patient/p/Observation?code=718-7', 'Observation/b'],
  ['system/Observation.rs', 'Patient/p/Encounter', 'forbidden'],
];

suite('scopes of a search that leads beyond its type', async () => {
  const world = await createWorld({ after: (hook) => after(hook) }, ['hospital-a']);
  await world.write(RECORDS.map((resource) => ({ institution: 'hospital-a', resource })));
  const { guarded, registry, tokenizer, names, institutions } = world;
  const services: Partial<Services> = {
    reader: guarded,
    registry,
    custom: noCustomParameters(registry),
    terminology: () => packagedTerminology(terminologyOf([], [])),
    tokenizer,
    names,
    institutions,
    cursors: createCursors(Buffer.alloc(32, 7), (length) => Buffer.alloc(length, 5)),
    sourcesOf: createSources(),
    publicUrl: PUBLIC_URL,
  };

  for (const [scopes, path, expected] of CASES) {
    test(`${scopes}: ${path}`, async () => {
      const context = contextOf({ institution: 'hospital-a', scopes, purposes: ['TREAT'] }, { base: BASE });
      const [where = '', query = ''] = path.split('?');
      const steps = where.split('/');
      const [first = '', id, member] = steps;
      const target =
        id === undefined
          ? { type: first === '' ? undefined : first }
          : { type: member === '*' ? undefined : member, compartment: { type: first, id } };
      const request = { ...target, pairs: queryPairs(query), handling: 'strict', posted: false } as const;
      assert.deepEqual(await shownBy(() => search(services as Services, context, request)), expected.split(' ').sort());
      // Whatever was shown is in the journal of the access trail, and nothing else.
      const journal = context.journal.entries.map(({ name }) => name.replace(/^[^/]+\/|\/_history.*$/g, '')).sort();
      assert.deepEqual(journal, expected === 'forbidden' || expected === '' ? [] : expected.split(' ').sort());
    });
  }
});

async function shownBy(run: () => Promise<{ readonly body?: string | Buffer }>): Promise<readonly string[]> {
  try {
    const { body = '{}' } = await run();
    const { entry = [] } = JSON.parse(body.toString()) as Bundle;
    return entry.length === 0 ? [''] : entry.map(({ resource }) => `${resource?.resourceType}/${resource?.id}`).sort();
  } catch (error) {
    if (error instanceof MedSealError) return [error.code];
    throw error;
  }
}
