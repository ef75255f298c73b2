import { Client, type ClientConfig } from 'pg';
import { invariant } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { DatabaseError } from './database-error.ts';

/** See `Database.listen`. One connection serves every channel; the first `listen` opens it. */
export interface Listener {
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
const CHANNEL = /^[a-z][a-z0-9_]{0,62}$/;

export function createListener(config: ClientConfig, logger: Logger): Listener {
  const channels = new Map<string, Set<(payload: string) => void>>();
  let connected: Promise<Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<Client> {
    // It waits for as long as nothing happens; `pipeline` allows a LISTEN while another is under way.
    const client = new Client({ ...config, query_timeout: 0, pipeline: true });
    client.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''));
    client.on('error', (error) => logger.warn({ err: error }, 'the notification connection was lost'));
    try {
      await client.connect();
      await Promise.all([...channels.keys()].map((channel) => client.query(`listen ${channel}`)));
    } catch (cause) {
      connected = undefined;
      await client.end();
      throw new DatabaseError(cause, false);
    }
    client.on('end', () => {
      connected = undefined;
      reconnect(FIRST_RETRY_MS);
    });
    return client;
  }

  function reconnect(wait: number): void {
    if (closed || channels.size === 0) return;
    retry = setTimeout(async () => {
      try {
        connected ??= connect();
        await connected;
        for (const channel of channels.keys()) tell(channel, '');
      } catch (error) {
        logger.debug({ err: error }, 'the notification connection is still down');
        reconnect(Math.min(2 * wait, LONGEST_RETRY_MS));
      }
    }, wait);
  }

  function tell(channel: string, payload: string): void {
    for (const onNotify of channels.get(channel) ?? []) onNotify(payload);
  }

  return {
    async listen(channel, onNotify) {
      invariant(CHANNEL.test(channel), 'A notification channel has an unusual name.');
      const listeners = channels.get(channel) ?? new Set();
      channels.set(channel, listeners.add(onNotify));
      const remove = () => {
        listeners.delete(onNotify);
        if (listeners.size === 0 && channels.get(channel) === listeners) channels.delete(channel);
      };
      try {
        connected ??= connect();
        await (await connected).query(`listen ${channel}`);
      } catch (cause) {
        remove();
        throw cause instanceof DatabaseError ? cause : new DatabaseError(cause, false);
      }
      return async () => {
        remove();
        // A connection that is down is not asked: it will come back without this channel.
        const client = await connected?.catch(() => undefined);
        if (!channels.has(channel) && !closed) await client?.query(`unlisten ${channel}`).catch(() => undefined);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      channels.clear();
      await (await connected?.catch(() => undefined))?.end();
    },
  };
}
