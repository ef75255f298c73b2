import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage.ts';

/** Something to read items from: a file, or standard input. */
export interface Source {
  /** As in messages and in the journal: the path as given, or joined to the directory that was; `-` for standard input. */
  readonly path: string;
  /** Bytes as they lie on disk; undefined for standard input. */
  readonly size: number | undefined;
}

export const STANDARD_INPUT = '-';

const IMPORTABLE = /\.(json|ndjson|jsonl)(\.gz)?$/i;

/**
 * The sources behind the paths of a command line: files as they are, directories walked in the order of their names for
 * `.json`, `.ndjson`, `.jsonl` and the `.gz` of each.
 *
 * @throws UsageError for a path that cannot be read
 */
export function findSources(paths: readonly string[]): readonly Source[] {
  if (paths.filter((path) => path === STANDARD_INPUT).length > 1) {
    throw new UsageError('standard input (-) can be read once only');
  }
  return paths.flatMap((path) => {
    if (path === STANDARD_INPUT) return [{ path, size: undefined }];
    const stats = statOf(path);
    return stats.isDirectory() ? walk(path) : [{ path, size: stats.size }];
  });
}

function walk(directory: string): readonly Source[] {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return walk(path);
    return IMPORTABLE.test(entry.name) ? [{ path, size: statOf(path).size }] : [];
  });
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
