import { MedSealError } from '../errors.ts';
import {
  disableClient,
  findClient,
  insertClient,
  insertInstitution,
  listClients,
  listInstitutions,
  replaceClient,
  type StoredClient,
} from '../storage/auth/clients.ts';
import type { Database } from '../storage/database/port.ts';
import type { ChangeFeed } from './changes.ts';
import {
  type CheckedRegistration,
  type ClientRegistration,
  checkKeys,
  checkRegistration,
} from './client-registration.ts';
import type { Egress } from './egress.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { SealedBox } from './sealed-box.ts';

export interface Client extends CheckedRegistration {
  readonly disabled: boolean;
}

/** Institutions and the clients that belong to them. What changes here holds for the next request everywhere. */
export interface ClientRegistry {
  /**
   * @param guest its records are kept elsewhere: it only has clients here
   * @throws MedSealError `invalid-parameter`, `already-exists`
   */
  addInstitution(name: string, guest?: boolean): Promise<void>;
  institutions(): Promise<readonly string[]>;
  /** @throws MedSealError `invalid-parameter`, `already-exists`, `not-found` for an unknown institution */
  add(registration: ClientRegistration): Promise<Client>;
  /** A disabled client too. */
  find(id: string): Promise<Client | undefined>;
  /** By id, disabled ones too. */
  list(): Promise<readonly Client[]>;
  /**
   * Replaces a client's keys; its tokens stay valid.
   *
   * @throws MedSealError `invalid-parameter`, `not-found`, `version-conflict`
   */
  replaceKeys(id: string, keys: Pick<ClientRegistration, 'jwks' | 'jwksUri'>): Promise<void>;
  /**
   * Revokes a client's tokens and gives it no more. It cannot be enabled again.
   *
   * @throws MedSealError `not-found`
   */
  disable(id: string): Promise<void>;
}

export interface ClientRegistryOptions {
  readonly database: Database;
  readonly changes: ChangeFeed;
  readonly box: SealedBox;
  readonly egress: Egress;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** How long a client is believed to be unchanged without having been told otherwise, milliseconds. */
const CACHED_FOR = 5000;
const CACHED_CLIENTS = 1000;
/** A segment of every URL below the institution's base. */
const INSTITUTION_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** First segments of paths that are not an institution's. */
const RESERVED_NAMES = new Set([
  'admin',
  'api',
  'auth',
  'docs',
  'fhir',
  'health',
  'metrics',
  'portal',
  'ready',
  'verify',
]);

export function createClientRegistry(options: ClientRegistryOptions): ClientRegistry {
  const { database, changes, box, egress, clock } = options;
  const cache = createExpiringCache<Client>(CACHED_CLIENTS);
  // Counts changes, so that what was read before one is not kept after it.
  let changed = 0;
  changes.subscribe((change) => {
    changed += 1;
    if (change.kind === 'client') cache.delete(change.id);
    if (change.kind === 'anything') cache.clear();
  });

  async function open(stored: StoredClient): Promise<Client> {
    const registration = (await box.open(placeOf(stored), stored.sealed)) as CheckedRegistration;
    return { ...registration, disabled: stored.disabled };
  }

  async function stored(id: string): Promise<StoredClient> {
    const found = await findClient(database, id);
    if (found === undefined) throw new MedSealError('not-found', 'There is no client with this id.');
    return found;
  }

  return {
    addInstitution: async (name, guest = false) => {
      if (!INSTITUTION_NAME.test(name) || RESERVED_NAMES.has(name)) {
        throw new MedSealError(
          'invalid-parameter',
          `An institution's name is a path segment of 1 to 63 of a-z, 0-9 and inner -, not one of ${[...RESERVED_NAMES].join(', ')}.`,
        );
      }
      if (!(await insertInstitution(database, name, guest))) {
        throw new MedSealError('already-exists', 'There is an institution with this name.');
      }
    },
    institutions: () => listInstitutions(database),
    add: async (given) => {
      const registration = await checkRegistration(given, egress);
      const { id, institution } = registration;
      if (institution !== '' && !(await listInstitutions(database)).includes(institution)) {
        throw new MedSealError('not-found', 'There is no institution with this name.');
      }
      const sealed = await box.seal(placeOf(registration), registration);
      if (!(await insertClient(database, { id, institution, sealed }))) {
        throw new MedSealError('already-exists', 'There is a client with this id.');
      }
      return { ...registration, disabled: false };
    },
    find: async (id) => {
      const now = clock();
      const cached = cache.get(id, now);
      if (cached !== undefined) return cached;
      const changedBefore = changed;
      const found = await findClient(database, id);
      if (found === undefined) return undefined;
      const client = await open(found);
      if (changed === changedBefore) cache.set(id, client, now + CACHED_FOR);
      return client;
    },
    list: async () => Promise.all((await listClients(database)).map(open)),
    replaceKeys: async (id, given) => {
      const keys = await checkKeys(given, egress);
      const previous = await stored(id);
      const { jwks: _, jwksUri: __, disabled: ___, ...rest } = await open(previous);
      const sealed = await box.seal(placeOf(previous), { ...rest, ...keys } satisfies CheckedRegistration);
      if (!(await replaceClient(database, previous, sealed))) {
        throw new MedSealError('version-conflict', 'The client was changed at the same time.');
      }
      changes.announce({ kind: 'client', id });
    },
    disable: async (id) => {
      if (!(await disableClient(database, id))) {
        throw new MedSealError('not-found', 'There is no client with this id.');
      }
      changes.announce({ kind: 'client', id });
    },
  };
}

/** Where a registration may be opened: in the row of this client of this institution. */
function placeOf({ id, institution }: Pick<StoredClient, 'id' | 'institution'>): string {
  return `client ${institution} ${id}`;
}
