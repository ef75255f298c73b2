import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MedSealError } from '../errors.ts';

/** The patient whom the story is about. */
export const STORY_PATIENT = 'example';

/** Names of HL7's own R4 examples, by who has them: patients, and what was written about them. */
const EXAMPLES = {
  'hospital-a': [
    'Practitioner-example',
    'Practitioner-f001',
    'Patient-example',
    'Encounter-example',
    'Encounter-emerg',
    'Condition-example',
    'Condition-stroke',
    'AllergyIntolerance-example',
    'Immunization-example',
    'Procedure-example',
    'Observation-example',
    'Observation-blood-pressure',
    'Observation-body-height',
    'Observation-body-temperature',
    'Observation-heart-rate',
    'Observation-respiratory-rate',
    'Patient-f001',
    'Encounter-f001',
    'Encounter-f002',
    'Condition-f001',
    'Condition-f002',
    'Procedure-f001',
    'Observation-f001',
    'Observation-f002',
    'Observation-f003',
    'Patient-pat1',
    'MedicationRequest-medrx0302',
  ],
  'hospital-b': [
    'Practitioner-f201',
    'Patient-f201',
    'Encounter-f201',
    'Condition-f201',
    'Condition-f202',
    'Procedure-f201',
    'Observation-f202',
    'Observation-f203',
    'Observation-f204',
  ],
} as const;

export type ExampleOwner = keyof typeof EXAMPLES;
export const EXAMPLE_OWNERS = Object.keys(EXAMPLES) as readonly ExampleOwner[];

export interface ExampleTransaction {
  /** JSON text; the resources are in the very bytes that HL7 published. */
  readonly text: string;
  readonly resources: number;
}

const PACKAGE = 'hl7.fhir.r4.examples';

/**
 * The examples of one institution as a transaction that puts each under its own id, so that it may be repeated.
 *
 * @throws MedSealError `invalid-configuration` when the npm package is not installed
 */
export function exampleTransaction(owner: ExampleOwner): ExampleTransaction {
  const directory = findPackage();
  const entries = EXAMPLES[owner].map((name) => {
    const file = join(directory, `${name}.json`);
    if (!existsSync(file)) throw missing();
    const [type = ''] = name.split('-');
    const id = name.slice(type.length + 1);
    return `{"resource":${readFileSync(file, 'utf8')},"request":{"method":"PUT","url":"${type}/${id}"}}`;
  });
  const text = `{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`;
  return { text, resources: entries.length };
}

function findPackage(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`));
  } catch (cause) {
    throw missing(cause);
  }
}

function missing(cause?: unknown): MedSealError {
  return new MedSealError(
    'invalid-configuration',
    `HL7's examples (npm ${PACKAGE}) are not installed: run npm ci, without --omit=dev, and start again`,
    { cause },
  );
}
