import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../logger.ts';
import type { ContentStatus } from '../port.ts';
import type { KuboNode } from './node.ts';

/** Counting takes at most this part of the time: Kubo can only list all its pins, some 15,000 a second. */
const COUNTING = 0.01;
/** How long a caller waits for a count that is under way, milliseconds. */
const PATIENCE = 1000;

/** Reachable as long as one node is; `roots` and `bytes` of the node that has most, `freeBytes` of the one with least. */
export function createStatus(nodes: readonly KuboNode[], logger: Logger): () => Promise<ContentStatus> {
  const all = nodes.map((node) => ({ node, count: createCount(node) }));

  async function statusOf(node: KuboNode, count: Count): Promise<ContentStatus> {
    try {
      const space = await node.space();
      const roots = await count();
      return { reachable: true, ...space, ...(roots === undefined ? {} : { roots }) };
    } catch (error) {
      logger.warn({ err: error, node: node.name }, 'a Kubo node cannot be reached');
      return { reachable: false };
    }
  }

  return async () => {
    const told = await Promise.all(all.map(({ node, count }) => statusOf(node, count)));
    const numbers = (key: 'roots' | 'bytes' | 'freeBytes') =>
      told.map((one) => one[key]).filter((number) => number !== undefined);
    const [roots, bytes, free] = [numbers('roots'), numbers('bytes'), numbers('freeBytes')];
    return {
      reachable: told.some(({ reachable }) => reachable),
      ...(roots.length === 0 ? {} : { roots: Math.max(...roots) }),
      ...(bytes.length === 0 ? {} : { bytes: Math.max(...bytes) }),
      ...(free.length === 0 ? {} : { freeBytes: Math.min(...free) }),
      nodes: told,
    };
  };
}

/** undefined while the first count is under way. */
type Count = () => Promise<number | undefined>;

function createCount(node: KuboNode): Count {
  let known: number | undefined;
  let due = 0;
  let running: Promise<void> | undefined;

  async function count(): Promise<void> {
    const started = performance.now();
    let roots = 0;
    for await (const _ of node.roots()) roots += 1;
    known = roots;
    const ended = performance.now();
    due = ended + (ended - started) / COUNTING;
  }

  return async () => {
    if (running === undefined && performance.now() >= due) {
      running = count().finally(() => {
        running = undefined;
      });
      running.catch(() => undefined); // told to whoever waits for it
    }
    await Promise.race([running, delay(PATIENCE, undefined, { ref: false })]);
    return known;
  };
}
