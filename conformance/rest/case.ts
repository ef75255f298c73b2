import { type TestContext, test } from 'node:test';

const R4 = 'http://hl7.org/fhir/R4/';
/** Milliseconds after which a case fails that a server does not answer. */
const TIMEOUT = 300_000;

/** Whether cases are only told, and no server is asked: `MEDSEAL_REST_LIST=1`. */
export const LISTING = process.env.MEDSEAL_REST_LIST === '1';

/**
 * A case of the suite: its name ends with the clause that demands it.
 *
 * @param clause a page and anchor of R4, such as `http.html#read`, or another specification's
 */
export function check(clause: string, name: string, run: (t: TestContext) => Promise<void>): void {
  const page = clause.includes('.html') && !clause.includes('://') ? R4 + clause : clause;
  test(`${name} [${page}]`, { timeout: TIMEOUT, skip: LISTING }, run);
}
