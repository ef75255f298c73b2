import { Worker } from 'node:worker_threads';
import type { Logger } from '../../logger.ts';
import type { CustomParameters } from '../../repository/custom-parameters.ts';
import type { InstitutionDirectory } from '../../repository/institutions.ts';
import {
  type Described,
  type DescribeItem,
  READY,
  type ScribeAnswer,
  type ScribeData,
  type ScribeRequest,
  type Sealed,
  type SealItem,
} from './protocol.ts';

/**
 * A thread beside the server's own that indexes and seals the entries of large Bundles: pure work, half of what a write
 * costs. Everything else, and every small write, stays where it is: the way there and back costs more than a few
 * entries.
 */
export interface Scribe {
  /** In the order given; undefined when it is to be done here: too few, too large, the thread not up, or it failed. */
  describe(items: readonly DescribeItem[]): Promise<readonly Described[] | undefined>;
  seal(items: readonly SealItem[]): Promise<readonly Sealed[] | undefined>;
  close(): Promise<void>;
}

export interface ScribeOptions extends ScribeData {
  readonly institutions: Pick<InstitutionDirectory, 'all'>;
  readonly custom: Pick<CustomParameters, 'all'>;
  readonly logger: Logger;
}

const MIN_ITEMS = 8;
/** Characters that are copied at once at most. */
const MAX_TEXT = 4 * 1024 * 1024;

type Outgoing<R = ScribeRequest> = R extends ScribeRequest ? Omit<R, 'ticket'> : never;

export function createScribe({ institutions, custom, logger, secret, publicUrl }: ScribeOptions): Scribe {
  const waiting = new Map<number, (answer: ScribeAnswer | undefined) => void>();
  let thread: Worker | undefined;
  let isUp = false;
  let closed = false;
  let tickets = 0;

  function start(): void {
    const started = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { secret, publicUrl } });
    thread = started;
    started.unref();
    started.on('message', (answer: ScribeAnswer | typeof READY) => {
      if (answer === READY) {
        isUp = true;
        return;
      }
      waiting.get(answer.ticket)?.(answer);
      waiting.delete(answer.ticket);
    });
    started.once('error', (error) => logger.error({ err: error }, 'the scribe’s thread ended; another is started'));
    started.once('exit', () => {
      isUp = false;
      thread = undefined;
      for (const resolve of waiting.values()) resolve(undefined);
      waiting.clear();
    });
  }

  async function ask(request: Outgoing): Promise<ScribeAnswer | undefined> {
    if (closed) return undefined;
    if (thread === undefined) start();
    if (!isUp || thread === undefined) return undefined;
    const ticket = tickets++;
    const answer = new Promise<ScribeAnswer | undefined>((resolve) => waiting.set(ticket, resolve));
    thread.postMessage({ ...request, ticket });
    return answer;
  }

  return {
    async describe(items) {
      if (!isWorthIt(items)) return undefined;
      const known = institutions.all().map(({ name }) => name);
      const answer = await ask({ kind: 'describe', institutions: known, parameters: custom.all(), items });
      return answer?.kind === 'described' ? answer.items : undefined;
    },
    async seal(items) {
      if (!isWorthIt(items)) return undefined;
      const answer = await ask({ kind: 'seal', items });
      return answer?.kind === 'sealed' ? answer.items : undefined;
    },
    async close() {
      closed = true;
      await thread?.terminate();
    },
  };
}

function isWorthIt(items: readonly { readonly text: string | undefined }[]): boolean {
  return items.length >= MIN_ITEMS && items.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) <= MAX_TEXT;
}
