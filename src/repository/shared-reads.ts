import type { PermittedRow, PrincipalSettings } from './permitted.ts';

/**
 * Lets reads by one principal that run at the same time share a statement: settings, round trip and plan cost more than
 * a row. Nobody waits for company: what has gathered while the statement before was under way goes together.
 */
export interface SharedReads {
  load(principal: PrincipalSettings, idToken: string): Promise<SharedRow>;
}

export interface SharedRow {
  readonly row: PermittedRow | undefined;
  /** Epoch milliseconds: when it was permitted, that of the youngest request in the statement. */
  readonly instant: number;
}

interface Waiting {
  readonly principal: PrincipalSettings;
  readonly idToken: string;
  readonly resolve: (row: SharedRow) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows are of up to INLINE_BYTES each, and wait in memory together. */
const MAX_TOGETHER = 32;

export function createSharedReads(
  select: (principal: PrincipalSettings, idTokens: readonly string[]) => Promise<readonly PermittedRow[]>,
): SharedReads {
  /** By principal; a queue is there as long as a statement of it is under way. */
  const queues = new Map<string, Waiting[]>();

  async function selectTogether(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const instant = Math.max(...batch.map((one) => one.principal.instant));
    try {
      const idTokens = [...new Set(batch.map((one) => one.idToken))];
      const found = await select({ ...first.principal, instant }, idTokens);
      const rows = new Map(found.map((row) => [row.idToken, row]));
      for (const one of batch) one.resolve({ row: rows.get(one.idToken), instant });
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  async function run(key: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      // Whatever else became ready in this turn of the event loop comes along.
      await new Promise(setImmediate);
      await selectTogether(queue.splice(0, MAX_TOGETHER));
    }
    queues.delete(key);
  }

  return {
    load: (principal, idToken) =>
      new Promise((resolve, reject) => {
        const { instant: _, ...who } = principal;
        const key = JSON.stringify(who);
        const waiting = { principal, idToken, resolve, reject };
        const queue = queues.get(key);
        if (queue !== undefined) {
          queue.push(waiting);
          return;
        }
        const started = [waiting];
        queues.set(key, started);
        void run(key, started);
      }),
  };
}
