import { after } from 'node:test';
import pg from 'pg';
import { cachedToken, type FhirClient, fhirClient } from '../support/fhir-client.ts';
import { startTestNode, type TestNode, type TestNodeOptions } from '../support/test-node.ts';

/** A server with three institutions, and whoever asks it for something. */
export interface World {
  readonly node: TestNode;
  /** A client by its name (`hospital-a`, `patient:ID`, … as `medseal token` takes them), at an institution's base. */
  as(client: string, institution?: string): FhirClient;
  /** The same at the union of all bases. */
  asAtUnion(client: string): FhirClient;
  /** Rows of a statement, as PostgreSQL's superuser sees them. */
  rows<Row>(statement: string): Promise<readonly Row[]>;
}

/** One for a whole test file; it ends with the file. */
export async function startWorld(options: TestNodeOptions = {}): Promise<World> {
  return worldOf(await startTestNode({ after: (run) => after(run as () => Promise<void>) }, options));
}

export function worldOf(node: TestNode): World {
  const tokens = new Map<string, () => Promise<string>>();
  const token = (client: string) => {
    const known = tokens.get(client) ?? cachedToken(() => node.token(client));
    tokens.set(client, known);
    return known;
  };
  return {
    node,
    as: (client, institution = 'hospital-a') => fhirClient(`${node.url}/${institution}/fhir`, token(client)),
    asAtUnion: (client) => fhirClient(`${node.url}/fhir`, token(client)),
    async rows<Row>(statement: string) {
      const client = new pg.Client({ connectionString: node.databases?.recordsUrl });
      await client.connect();
      try {
        return (await client.query(statement)).rows as Row[];
      } finally {
        await client.end();
      }
    },
  };
}
