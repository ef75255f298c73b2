import type { KuboNode } from './node.ts';

/** On which nodes a batch is pinned; at least one. */
export interface Placement {
  readonly root: string;
  readonly holders: readonly KuboNode[];
}

/** Roots held in memory at once: about 25 MB. */
const ROOTS_AT_ONCE = 200_000;

/**
 * Where each batch lies that some node keeps, in bounded memory. Kubo lists pins in an order of its own; when there are
 * too many to put together, the lists are read several times, each time for another part of the roots.
 *
 * @throws MedSealError when a node cannot tell
 */
export async function* placements(
  nodes: readonly KuboNode[],
  rootsAtOnce: number = ROOTS_AT_ONCE,
): AsyncGenerator<Placement> {
  let parts = 1;
  let found = await collect(nodes, { part: 0, parts, limit: rootsAtOnce });
  while (found === undefined) {
    parts *= 2;
    found = await collect(nodes, { part: 0, parts, limit: rootsAtOnce });
  }
  yield* listed(found);
  // Parts of a hash are of one size, more or less.
  for (let part = 1; part < parts; part++) {
    const next = await collect(nodes, { part, parts, limit: Number.POSITIVE_INFINITY });
    if (next !== undefined) yield* listed(next);
  }
}

type Holders = Map<string, readonly KuboNode[]>;

/** undefined when there are more than `limit`. */
async function collect(
  nodes: readonly KuboNode[],
  { part, parts, limit }: { readonly part: number; readonly parts: number; readonly limit: number },
): Promise<Holders | undefined> {
  const found: Holders = new Map();
  for (const node of nodes) {
    for await (const root of node.roots()) {
      if (hashOf(root) % parts !== part) continue;
      found.set(root, [...(found.get(root) ?? []), node]);
      if (found.size > limit) return undefined;
    }
  }
  return found;
}

function* listed(found: Holders): Generator<Placement> {
  for (const [root, holders] of found) yield { root, holders };
}

/** Of eight letters in the middle of the digest. */
function hashOf(root: string): number {
  let hash = 0;
  for (let at = 20; at < 28; at++) hash = (Math.imul(hash, 31) + root.charCodeAt(at)) >>> 0;
  return hash >>> 8;
}
