import { type FileHandle, open } from 'node:fs/promises';

/** Reads from files, of which the ones used last are kept open. */
export interface OpenFiles {
  /** Fewer bytes than `length` when the file ends before. */
  read(path: string, offset: number, length: number): Promise<Buffer>;
  /** To be called when another file has come in the place of this one, or none. */
  forget(path: string): void;
  close(): Promise<void>;
}

interface Entry {
  readonly handle: Promise<FileHandle>;
  readers: number;
}

export function openFiles(limit: number): OpenFiles {
  /** In the order of their last use. */
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();

  function use(path: string): Entry {
    const entry = entries.get(path) ?? { handle: open(path, 'r'), readers: 0 };
    entries.delete(path);
    entries.set(path, entry);
    return entry;
  }

  /** One that is being read is closed by its last reader. */
  function closeUnused(entry: Entry): void {
    if (entry.readers > 0) return;
    const closed = entry.handle.then(
      (handle) => handle.close(),
      () => undefined, // it could not be opened
    );
    closing.add(closed);
    closed.finally(() => closing.delete(closed));
  }

  function forget(path: string): void {
    const entry = entries.get(path);
    entries.delete(path);
    if (entry !== undefined) closeUnused(entry);
  }

  return {
    async read(path, offset, length) {
      const entry = use(path);
      entry.readers++;
      try {
        const bytes = Buffer.allocUnsafe(length);
        const { bytesRead } = await (await entry.handle).read(bytes, 0, length, offset);
        return bytes.subarray(0, bytesRead);
      } catch (error) {
        forget(path);
        throw error;
      } finally {
        entry.readers--;
        if (entries.get(path) !== entry) closeUnused(entry);
        for (const [oldest] of entries) {
          if (entries.size <= limit) break;
          forget(oldest);
        }
      }
    },
    forget,
    async close() {
      for (const path of [...entries.keys()]) forget(path);
      await Promise.all(closing);
    },
  };
}
