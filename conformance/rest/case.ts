import { type TestContext, test } from 'node:test';

const R4 = 'http://hl7.org/fhir/R4/';

/**
 * A case of the suite: its name ends with the clause that demands it.
 *
 * @param clause a page and anchor of R4, such as `http.html#read`, or another specification's
 */
export function check(clause: string, name: string, run: (t: TestContext) => Promise<void>): void {
  test(`${name} [${clause.includes('.html') && !clause.includes('://') ? R4 + clause : clause}]`, run);
}
