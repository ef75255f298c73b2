import { BUNDLING } from './bundling.ts';
import { BY_DATES } from './dating.ts';
import { GENERAL } from './general.ts';
import { HISTORIES } from './histories.ts';
import { HTTP, IDEMPOTENCY } from './http.ts';
import type { ServerMutant } from './mutant.ts';
import { METAS, OPERATING, WHOLE_RECORDS } from './operating.ts';
import { PATCHING } from './patching.ts';
import { CHAINS, CONTEXTS, INCLUDES, PARTS, RESULTS } from './results.ts';
import { BY_NUMBERS, BY_VALUES } from './searching.ts';
import { TERMS, VALIDATION } from './validating.ts';
import { CONTENT, WRITING } from './writing.ts';

/** Every mutant of the server that the suite is tried on. */
export const MUTANTS: readonly ServerMutant[] = [
  ...GENERAL,
  ...WRITING,
  ...CONTENT,
  ...PATCHING,
  ...BUNDLING,
  ...HISTORIES,
  ...IDEMPOTENCY,
  ...HTTP,
  ...OPERATING,
  ...METAS,
  ...WHOLE_RECORDS,
  ...VALIDATION,
  ...TERMS,
  ...BY_VALUES,
  ...BY_DATES,
  ...BY_NUMBERS,
  ...RESULTS,
  ...INCLUDES,
  ...PARTS,
  ...CONTEXTS,
  ...CHAINS,
];
