import type { Database } from '../storage/database/port.ts';

/** Something that caches may still believe and that is no longer so. */
export type Change =
  | { readonly kind: 'token'; readonly digest: string }
  | { readonly kind: 'client'; readonly id: string }
  /** Unknown what: some news may have been missed. */
  | { readonly kind: 'anything' };

/** Tells the caches of this process what was changed here or, through the database, by any other replica. */
export interface ChangeFeed {
  subscribe(listener: (change: Change) => void): void;
  /** Tells this process at once; the database tells all of them a moment later. */
  announce(change: Change): void;
  close(): Promise<void>;
}

/** The channel of the triggers in migration 0004. */
const CHANNEL = 'auth_changed';

export async function createChangeFeed(database: Database): Promise<ChangeFeed> {
  const listeners: ((change: Change) => void)[] = [];
  const announce = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  const stop = await database.listen(CHANNEL, (payload) => announce(readChange(payload)));
  return { subscribe: (listener) => void listeners.push(listener), announce, close: stop };
}

/** @param payload as the triggers write it; '' after a lost connection. Whatever else it is may mean anything. */
function readChange(payload: string): Change {
  const [, kind, subject = ''] = /^(token|client) (.+)$/.exec(payload) ?? [];
  if (kind === 'token') return { kind, digest: subject };
  return kind === 'client' ? { kind, id: subject } : { kind: 'anything' };
}
