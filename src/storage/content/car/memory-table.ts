import type { Entry, Location } from './index-run.ts';

/** Entries that are not in a run yet. */
export interface MemoryTable {
  add(entry: Entry): void;
  find(digest: Buffer): readonly Location[];
  entries(): readonly Entry[];
  size(): number;
}

export function memoryTable(): MemoryTable {
  // One block may lie in several CAR files.
  const locations = new Map<string, Location[]>();
  let size = 0;
  return {
    add({ digest, location }) {
      const key = digest.toString('latin1');
      const known = locations.get(key);
      if (known === undefined) locations.set(key, [location]);
      else known.unshift(location);
      size++;
    },
    find: (digest) => locations.get(digest.toString('latin1')) ?? [],
    entries: () =>
      [...locations].flatMap(([key, places]) => {
        const digest = Buffer.from(key, 'latin1');
        return places.map((location) => ({ digest, location }));
      }),
    size: () => size,
  };
}
