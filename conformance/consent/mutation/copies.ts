import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../architecture/sources.ts';
import type { Mutant } from './source-mutants.ts';

const NEEDED = ['src', 'conformance', 'chaincode', 'fabric', 'fhir-profiles', 'docs', 'package.json', 'tsconfig.json'];

/** A copy of the tree, at `directory`, in which sources may be mutated. */
export function createCopy(directory: string): string {
  mkdirSync(directory);
  for (const name of NEEDED) {
    cpSync(join(ROOT, name), join(directory, name), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

/** Does something while these mutants, each of another file, are in a copy. */
export async function withMutants<T>(copy: string, mutants: readonly Mutant[], work: () => Promise<T>): Promise<T> {
  const originals = mutants.map(({ file }) => [join(copy, file), readFileSync(join(copy, file))] as const);
  for (const { file, source } of mutants) writeFileSync(join(copy, file), source);
  try {
    return await work();
  } finally {
    for (const [path, original] of originals) writeFileSync(path, original);
  }
}
