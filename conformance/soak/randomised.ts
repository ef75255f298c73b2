import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importsOf } from '../architecture/sources.ts';

/** How a file says that its tests take their randomness from support/seed.ts; others have fast-check. */
const TAKES_A_SEED = /import \{[^}]*\b(?:seed|newSeed)\b[^}]*\} from '[^']*\/support\/seed\.ts'/;

/**
 * Those of the test files that differ from seed to seed: they, or what they import of the tests' own code, take one.
 *
 * @param root the repository's
 * @param files absolute
 */
export function randomisedFiles(root: string, files: readonly string[]): readonly string[] {
  const known = new Map<string, boolean>();
  const isRandomised = (path: string): boolean => {
    const before = known.get(path);
    if (before !== undefined) return before;
    known.set(path, false); // on the way: what imports itself adds nothing
    const text = readFileSync(join(root, path), 'utf8');
    const imports = importsOf({ path, text });
    const own = imports.flatMap((one) => one.path ?? []);
    const found =
      TAKES_A_SEED.test(text) ||
      imports.some(({ specifier }) => specifier === 'fast-check') ||
      own.some((one) => existsSync(join(root, one)) && isRandomised(one));
    known.set(path, found);
    return found;
  };
  return files.filter((file) => isRandomised(file.slice(root.length).replace(/^\//, '')));
}
