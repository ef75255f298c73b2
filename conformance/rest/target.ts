import type { TestContext } from 'node:test';
import { connect } from '../../src/cli/connection.ts';
import type { Participant } from '../../src/demo/participants.ts';
import { cachedToken, type FhirClient, fhirClient } from '../support/fhir-client.ts';
import { addClient } from '../support/server-process.ts';
import { startTestNode } from '../support/test-node.ts';

/** The server that the suite is run against, and two clients of it. */
export interface RestTarget {
  /** May read and write everything at its base. */
  readonly client: FhirClient;
  /** Another client at the same base, which may do the same; undefined when there is none to try with. */
  readonly other: FhirClient | undefined;
}

/**
 * Any FHIR base that is named by the environment, with access tokens for it, else a server of our own:
 * MEDSEAL_REST_BASE, MEDSEAL_REST_TOKEN and MEDSEAL_REST_OTHER_TOKEN.
 */
export async function restTarget(test: Pick<TestContext, 'after'>): Promise<RestTarget> {
  const { MEDSEAL_REST_BASE: base, MEDSEAL_REST_TOKEN: token, MEDSEAL_REST_OTHER_TOKEN: otherToken } = process.env;
  if (base !== undefined) {
    const as = (given: string | undefined) =>
      given === undefined ? undefined : fhirClient(base, () => Promise.resolve(given));
    return { client: as(token) ?? fhirClient(base), other: as(otherToken) };
  }
  const node = await startTestNode(test);
  await addClient(connect(node.dataDirectory), OTHER);
  const as = (name: string) =>
    fhirClient(
      `${node.url}/hospital-a/fhir`,
      cachedToken(() => node.token(name)),
    );
  return { client: as('hospital-a'), other: as(OTHER.id) };
}

/** Of an own server the other client. */
export const OTHER: Participant = {
  id: 'hospital-a-laboratory',
  institution: 'hospital-a',
  scopes: ['system/*.cruds'],
  purposes: ['TREAT'],
};
