import { ADMIN_OPERATIONS, type Administration } from '../api/admin-operations.ts';
import { readClient, storeClient } from '../cli/data-directory.ts';
import { generateClientKey } from '../cli/operator.ts';
import { invariant } from '../errors.ts';

/** Who takes part in the demonstration. */
export const INSTITUTIONS = ['hospital-a', 'hospital-b', 'research-institute'] as const;
type DemoInstitution = (typeof INSTITUTIONS)[number];

export interface Participant {
  readonly id: string;
  readonly institution: DemoInstitution;
  readonly scopes: readonly string[];
  readonly purposes: readonly string[];
}

/** The clients bear the names of their institutions. */
export const PARTICIPANTS: readonly Participant[] = [
  { id: 'hospital-a', institution: 'hospital-a', scopes: ['system/*.cruds'], purposes: ['TREAT'] },
  { id: 'hospital-b', institution: 'hospital-b', scopes: ['system/*.cruds'], purposes: ['TREAT'] },
  { id: 'research-institute', institution: 'research-institute', scopes: ['system/*.rs'], purposes: ['HRESCH'] },
];

/** Writes the research institute's own Organization, which its client for research may not. */
export const DIRECTORY_CLIENT: Participant = {
  id: 'research-institute-directory',
  institution: 'research-institute',
  scopes: ['system/Organization.cruds'],
  purposes: [],
};

/** Makes what is missing of the institutions, the clients and the private keys in the data directory. */
export async function ensureParticipants(administration: Administration, directory: string): Promise<void> {
  const { addInstitution } = ADMIN_OPERATIONS;
  invariant(addInstitution !== undefined, 'the administration can add institutions');
  for (const id of INSTITUTIONS) {
    const known = administration.institutions.find(id);
    if (known === undefined) await addInstitution(administration, { body: { id }, client: '', by: '', id: '' });
  }
  for (const participant of [...PARTICIPANTS, DIRECTORY_CLIENT]) {
    await ensureClient(administration, directory, participant);
  }
}

/** Also gives it a new key where the old one was lost. The key is kept only when it is registered. */
async function ensureClient({ clients }: Administration, directory: string, participant: Participant): Promise<void> {
  const { id, scopes } = participant;
  const registered = await clients.find(id);
  if (registered !== undefined && readClient(directory, id) !== undefined) return;
  const { publicJwks, privateKey } = await generateClientKey();
  if (registered === undefined) await clients.add({ ...participant, jwks: publicJwks });
  else await clients.replaceKeys(id, { jwks: publicJwks });
  storeClient(directory, id, { clientId: id, privateKey, scope: scopes.join(' ') });
}
