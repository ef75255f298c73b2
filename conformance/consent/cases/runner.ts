import assert from 'node:assert/strict';
import type { Bundle, BundleEntry, Consent, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { administer, connect, localTokenEndpoint, requestToken } from '../../../src/cli/connection.ts';
import { generateClientKey } from '../../../src/cli/operator.ts';
import { type FhirClient, fhirClient } from '../../support/fhir-client.ts';
import type { TestNode } from '../../support/test-node.ts';
import {
  type Ask,
  type ConsentCase,
  concept,
  RECORDS,
  type RecordName,
  type RefusedCase,
  type Requester,
  recordsOf,
  TERMINOLOGY,
} from './kit.ts';

interface Registration {
  readonly institution: string;
  readonly purposes: readonly string[];
  readonly scopes: readonly string[];
  readonly practitioner?: string;
  readonly patient?: string;
  readonly relatedPerson?: string;
}

const system = (institution: string, ...purposes: readonly string[]): Registration => ({
  institution,
  purposes,
  scopes: ['system/*.cruds'],
});
const staff = (institution: string, practitioner: string): Registration => ({
  institution,
  purposes: ['TREAT'],
  scopes: ['user/*.cruds'],
  practitioner,
});

const REQUESTERS: Readonly<Record<Exclude<Requester, 'self' | 'father' | 'former'>, Registration>> = {
  A: system('hospital-a', 'TREAT'),
  'A research': system('hospital-a', 'HRESCH'),
  'A silent': system('hospital-a'),
  'Dr A': staff('hospital-a', 'dr-a'),
  B: system('hospital-b', 'TREAT'),
  'B emergency': system('hospital-b', 'ETREAT'),
  'B payment': system('hospital-b', 'HPAYMT'),
  'B silent': system('hospital-b'),
  'Dr B': staff('hospital-b', 'dr-b'),
  'Nurse B': staff('hospital-b', 'nurse-b'),
  'Device B': system('hospital-b', 'TREAT'),
  R: system('research-institute', 'HRESCH'),
  'R trial': system('research-institute', 'CLINTRCH'),
  'R marketing': system('research-institute', 'HMARKT'),
};

/** Puts one case after the other to a node, as whoever asks, through HTTP alone. */
export interface CaseRunner {
  run(one: ConsentCase, id: string): Promise<void>;
  refuse(one: RefusedCase, id: string): Promise<void>;
  client(by: Requester, id: string, scope?: string): Promise<FhirClient>;
}

export async function createCaseRunner(node: TestNode): Promise<CaseRunner> {
  const connection = connect(node.dataDirectory);
  const base = `${node.url}/hospital-a/fhir`;
  const baseOfB = `${node.url}/hospital-b/fhir`;
  const clients = new Map<string, Promise<{ clientId: string; privateKey: Key; scopes: readonly string[] }>>();
  const tokens = new Map<string, Promise<string>>();
  let count = 0;

  async function register(registration: Registration) {
    const { publicJwks, privateKey } = await generateClientKey();
    count += 1;
    const clientId = `case-client-${count}`;
    await administer(connection, 'POST', '/admin/clients', { id: clientId, jwks: publicJwks, ...registration });
    return { clientId, privateKey, scopes: registration.scopes };
  }

  function registrationOf(by: Requester, id: string): readonly [string, Registration] {
    if (by !== 'self' && by !== 'father' && by !== 'former') return [by, REQUESTERS[by]];
    const scopes = ['patient/*.rs', 'patient/Consent.cruds'];
    const self = { institution: 'hospital-a', purposes: ['PATRQT'], scopes, patient: id };
    return [`${by} ${id}`, by === 'self' ? self : { ...self, relatedPerson: `${id}-${by}` }];
  }

  function known(by: Requester, id: string) {
    const [name, registration] = registrationOf(by, id);
    const found = clients.get(name) ?? register(registration);
    clients.set(name, found);
    return [name, found] as const;
  }

  async function client(by: Requester, id: string, scope?: string): Promise<FhirClient> {
    const [name, registered] = known(by, id);
    const key = `${name} ${scope ?? ''}`;
    const token =
      tokens.get(key) ??
      registered.then(({ clientId, privateKey, scopes }) =>
        requestToken(localTokenEndpoint(connection.address), {
          clientId,
          privateKey,
          scope: scope ?? scopes.join(' '),
        }),
      );
    tokens.set(key, token);
    return fhirClient(base, () => token);
  }

  const filled = <T>(value: T, id: string): T =>
    JSON.parse(JSON.stringify(value).replaceAll('@', id).replaceAll('%B%', baseOfB)) as T;

  async function setUp(): Promise<void> {
    const put = async (institution: string, as: Requester, resources: readonly Resource[]) => {
      const entry = resources.map((resource) => ({
        resource,
        request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
      }));
      const answer = await (await client(as, ''))
        .at(`${node.url}/${institution}/fhir`)
        .post('', { resourceType: 'Bundle', type: 'transaction', entry });
      assert.equal(answer.status, 200, answer.text);
    };
    const [, device] = known('Device B', '');
    await put('hospital-b', 'B', directoryOfB((await device).clientId));
    await put('hospital-a', 'A', [{ resourceType: 'Practitioner', id: 'dr-a' }]);
  }

  /** What staff enter: the records, the relatives, and the consents as witnessed papers. */
  function transaction(one: ConsentCase, id: string): Bundle {
    const records = recordsOf(id, one.birthDate ?? '1980-01-01', baseOfB);
    const relatives = ['father', 'former'].map(
      (name): Resource => ({
        resourceType: 'RelatedPerson',
        id: `${id}-${name}`,
        active: name === 'father',
        patient: { reference: `Patient/${id}` },
      }),
    );
    const consents = one.consents.map((consent, index) => paper(filled(consent, id), id, `${id}-consent-${index}`));
    const entry = [...Object.values(records), ...relatives, ...consents].map(
      (resource): BundleEntry => ({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      }),
    );
    return { resourceType: 'Bundle', type: 'transaction', entry };
  }

  /** One batch: every record by itself, and a search for those of one type. */
  async function seenBy({ by, scope }: Ask, id: string): Promise<readonly [string[], string[] | undefined]> {
    const types = recordsOf(id, '1980', baseOfB);
    const urls = RECORDS.map((name) => `${types[name].resourceType}/${types[name].id}`);
    const entry = [...urls, `Observation?patient=${id}&_count=50`].map((url) => ({ request: { method: 'GET', url } }));
    const asking = await client(by, id, scope);
    const answer = await asking.post('', { resourceType: 'Bundle', type: 'batch', entry });
    assert.equal(answer.status, 200, answer.text);
    const answers = answer.json<Bundle>().entry ?? [];
    const seen = RECORDS.filter((_, index) => answers[index]?.response?.status?.startsWith('200'));
    const found = answers[RECORDS.length];
    const page = found?.response?.status?.startsWith('200') ? (found.resource as Bundle) : undefined;
    return [seen, page?.entry?.map(({ resource }) => resource?.id?.slice(id.length + 1) ?? '').toSorted()];
  }

  await setUp();
  return {
    client,
    async run(one, id) {
      const written = await (await client('Dr A', id)).post('', transaction(one, id));
      assert.equal(written.status, 200, written.text);
      for (const ask of one.asks) {
        const expected = ask.sees === 'all' ? [...RECORDS] : ask.sees.split(' ').filter(Boolean);
        assert.ok(
          expected.every((name) => RECORDS.includes(name as RecordName)),
          'a record that is none',
        );
        const [seen, searched] = await seenBy(ask, id);
        const who = `${ask.by}${ask.scope === undefined ? '' : ` with ${ask.scope}`}`;
        assert.deepEqual(seen.toSorted(), expected.toSorted(), `${who} reads. ${one.why}`);
        const observations = expected.filter((name) => ['hb', 'hiv', 'bare'].includes(name));
        if (searched !== undefined && ask.scope === undefined) {
          assert.deepEqual(searched, observations.toSorted(), `${who} finds. ${one.why}`);
        }
      }
    },
    async refuse({ consent, expression, why }, id) {
      const answer = await (await client('Dr A', id)).post('Consent', paper(filled(consent, id), id));
      assert.equal(answer.status, 422, `${why} ${answer.text}`);
      const [issue] = answer.json<OperationOutcome>().issue ?? [];
      assert.deepEqual(issue?.expression, [expression], why);
    },
  };
}

type Key = Awaited<ReturnType<typeof generateClientKey>>['privateKey'];

function paper(consent: Partial<Consent>, id: string, own?: string): Consent {
  return {
    resourceType: 'Consent',
    ...(own && { id: own }),
    status: 'active',
    scope: concept(`${TERMINOLOGY}/consentscope`, 'patient-privacy'),
    category: [concept('http://loinc.org', '59284-0')],
    sourceAttachment: { title: 'Signed on paper' },
    verification: [{ verified: true, verificationDate: '2024-01-01' }],
    ...consent,
    patient: { reference: `Patient/${id}` },
  };
}

/** Who works where at hospital-b. */
function directoryOfB(clientId: string): readonly Resource[] {
  const part = (id: string, of: string): Resource => ({
    resourceType: 'Organization',
    id,
    name: id,
    partOf: { reference: `Organization/${of}` },
  });
  const member = (reference: string, inactive: boolean) => ({ entity: { reference }, inactive });
  return [
    { resourceType: 'Practitioner', id: 'dr-b' },
    { resourceType: 'Practitioner', id: 'nurse-b' },
    part('clinic-b', 'hospital-b'),
    part('ward-b', 'clinic-b'),
    part('oncology-b', 'hospital-b'),
    {
      resourceType: 'PractitionerRole',
      id: 'cardiologist-b',
      active: true,
      practitioner: { reference: 'Practitioner/dr-b' },
      organization: { reference: 'Organization/ward-b' },
    },
    {
      resourceType: 'PractitionerRole',
      id: 'oncology-nurse-b',
      practitioner: { reference: 'Practitioner/nurse-b' },
      organization: { reference: 'Organization/oncology-b' },
      period: { start: '2010', end: '2020' },
    },
    {
      resourceType: 'Group',
      id: 'board-b',
      type: 'practitioner',
      actual: true,
      member: [member('PractitionerRole/cardiologist-b', false), member('Practitioner/nurse-b', true)],
    },
    {
      resourceType: 'Device',
      id: 'pump-b',
      status: 'active',
      identifier: [{ system: 'urn:ietf:rfc:6749:client_id', value: clientId }],
    },
  ];
}
