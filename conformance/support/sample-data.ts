/** Resources to test with: HL7's own examples (npm), and the synthetic bundles that lie beside the repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export const SHARED_BUNDLES = join(import.meta.dirname, '../../../shared/data/bundles');
const HL7_EXAMPLES = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'));

/** For `test(name, { skip: ... })`: why the synthetic bundles cannot be read, or false when they can. */
export const sharedBundlesAbsent: string | false = existsSync(SHARED_BUNDLES)
  ? false
  : `${SHARED_BUNDLES} is absent: these bundles are not part of the repository`;

/** The synthetic transaction Bundles, one after the other. @param directory where else they lie */
export function* sharedBundles(directory = SHARED_BUNDLES): Generator<Sample> {
  for (const file of readdirSync(directory).sort()) {
    yield { name: file, bytes: gunzipSync(readFileSync(join(directory, file))) };
  }
}

/** Every example resource that HL7 publishes with R4, one after the other. */
export function* hl7Examples(): Generator<Sample> {
  for (const file of readdirSync(HL7_EXAMPLES).sort()) {
    if (/^[A-Z].*\.json$/.test(file)) yield hl7Example(file);
  }
}

/** One of HL7's examples, such as `Bundle-bundle-transaction.json`. */
export function hl7Example(name: string): Sample {
  return { name, bytes: readFileSync(join(HL7_EXAMPLES, name)) };
}
