import { hash } from 'node:crypto';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { invariant } from '../errors.ts';
import {
  consumeArtifact,
  deleteArtifact,
  deleteArtifactsOfGrant,
  findArtifact,
  findArtifactByUid,
  putArtifact,
  type StoredArtifact,
} from '../storage/auth/artifacts.ts';
import { recordAssertion } from '../storage/auth/assertions.ts';
import type { Database } from '../storage/database/port.ts';
import type { ChangeFeed } from './changes.ts';
import { clientMetadata } from './client-metadata.ts';
import type { ClientRegistry } from './clients.ts';
import type { SealedBox } from './sealed-box.ts';

/** SHA-256 of a token's value, or of another id, as it is stored. */
function digestOf(value: string): Buffer {
  return hash('sha256', value, 'buffer');
}

/** Where an artifact's payload may be opened: in its own row only. */
export function placeOf(model: string, digest: Uint8Array): string {
  return `${model} ${Buffer.from(digest).toString('hex')}`;
}

/**
 * What oidc-provider keeps, kept in PostgreSQL. Clients come from the registry and are never written by the provider;
 * replay detection is one insert; everything else is an artifact whose value is stored as a digest and whose payload
 * is sealed.
 */
export function createAdapterFactory(stores: AdapterStores): AdapterFactory {
  return (model) => {
    if (model === 'Client') return readOnly(model, (id) => clientMetadataOf(stores.clients, id));
    if (model === 'ReplayDetection') return replayDetection(stores.database);
    return artifacts(stores, model);
  };
}

export interface AdapterStores {
  readonly database: Database;
  readonly clients: ClientRegistry;
  readonly changes: ChangeFeed;
  readonly box: SealedBox;
}

async function clientMetadataOf(clients: ClientRegistry, id: string): Promise<AdapterPayload | undefined> {
  const client = await clients.find(id);
  return client === undefined || client.disabled ? undefined : clientMetadata(client);
}

function readOnly(model: string, find: Adapter['find']): Adapter {
  const refuse = async () => invariant(false, `${model} is not written through the authorization server`);
  return {
    find,
    upsert: refuse,
    findByUid: refuse,
    findByUserCode: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  };
}

/**
 * oidc-provider looks an assertion up and then saves it, between which others pass. So the look-up finds nothing, and
 * the save is the insert that only the first one wins.
 */
function replayDetection(database: Database): Adapter {
  return {
    ...readOnly('ReplayDetection', async () => undefined),
    upsert: async (id, payload, expiresIn) => {
      const { iss } = payload as { iss?: unknown };
      invariant(typeof iss === 'string' && expiresIn !== undefined, 'a used assertion has an issuer and an expiry');
      if (!(await recordAssertion(database, iss, digestOf(id), expiresIn))) {
        throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
      }
    },
  };
}

function artifacts({ database, changes, box }: AdapterStores, model: string): Adapter {
  async function open(stored: StoredArtifact | undefined, id?: string): Promise<AdapterPayload | undefined> {
    if (stored === undefined) return undefined;
    const payload = (await box.open(placeOf(model, stored.digest), stored.sealed)) as AdapterPayload;
    return {
      ...payload,
      ...(id === undefined ? {} : { jti: id }),
      ...(stored.consumed === null ? {} : { consumed: stored.consumed }),
    };
  }
  return {
    upsert: async (id, payload, expiresIn) => {
      invariant(expiresIn !== undefined, `${model} expires`);
      const digest = digestOf(id);
      // Only a session is ever found without its id, by its uid; of all others not even the sealed payload has it.
      const { jti, ...rest } = payload;
      const kept = payload.uid === undefined ? rest : { ...rest, jti };
      await putArtifact(
        database,
        {
          model,
          digest,
          client: payload.clientId,
          grantDigest: payload.grantId === undefined ? undefined : digestOf(payload.grantId),
          uidDigest: payload.uid === undefined ? undefined : digestOf(payload.uid),
          sealed: await box.seal(placeOf(model, digest), kept),
        },
        expiresIn,
      );
    },
    find: async (id) => open(await findArtifact(database, model, digestOf(id)), id),
    findByUid: async (uid) => open(await findArtifactByUid(database, model, digestOf(uid))),
    // User codes belong to the device flow, which is off.
    findByUserCode: async () => undefined,
    consume: (id) => consumeArtifact(database, model, digestOf(id)),
    destroy: async (id) => {
      await deleteArtifact(database, model, digestOf(id));
      changes.announce({ kind: 'token', digest: digestOf(id).toString('hex') });
    },
    revokeByGrantId: async (grantId) => {
      await deleteArtifactsOfGrant(database, model, digestOf(grantId));
      changes.announce({ kind: 'anything' });
    },
  };
}
