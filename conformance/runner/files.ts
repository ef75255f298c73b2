import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where tests are: beside their sources, and the black-box suites of conformance/. */
const FOLDERS = ['chaincode', 'conformance', 'fabric', 'fhir-profiles', 'src'];

/**
 * The test files below `root`, absolute, in order.
 *
 * @param words only files whose path contains one of them; none given: all
 */
export function findTestFiles(root: string, words: readonly string[]): readonly string[] {
  return FOLDERS.filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((path) => path.endsWith('.test.ts') && !path.split('/').includes('node_modules'))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()
    .map((path) => join(root, path));
}
