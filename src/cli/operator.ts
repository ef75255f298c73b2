import { exportJWK, generateKeyPair } from 'jose';
import type { ClientRegistry } from '../auth/clients.ts';
import { readClient, storeClient } from './data-directory.ts';

/** The operator's own client: whoever may read the data directory administers the node. */
export const OPERATOR = 'operator';
const ALGORITHM = 'ES384';

export interface NewKey {
  readonly publicJwks: { readonly keys: readonly object[] };
  readonly privateKey: Awaited<ReturnType<typeof exportJWK>>;
}

export async function generateClientKey(): Promise<NewKey> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const header = { alg: ALGORITHM, use: 'sig', kid: crypto.randomUUID() };
  return {
    publicJwks: { keys: [{ ...(await exportJWK(publicKey)), ...header }] },
    privateKey: { ...(await exportJWK(privateKey)), ...header },
  };
}

/** Registers the operator's client at the first start, and again when its key file was lost. */
export async function ensureOperator(directory: string, clients: ClientRegistry): Promise<void> {
  const registered = await clients.find(OPERATOR);
  if (registered !== undefined && readClient(directory, OPERATOR) !== undefined) return;
  const { publicJwks, privateKey } = await generateClientKey();
  if (registered !== undefined) await clients.replaceKeys(OPERATOR, { jwks: publicJwks });
  else await clients.add({ ...REGISTRATION, jwks: publicJwks });
  storeClient(directory, OPERATOR, { clientId: OPERATOR, privateKey, scope: 'admin' });
}

const REGISTRATION = { id: OPERATOR, institution: '', purposes: [], scopes: ['admin'], administrator: true };
