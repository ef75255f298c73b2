import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import type { TestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';

type Databases = Pick<TestNode, 'dataDirectory' | 'databases'>;

/** A statement on a node's records database as its superuser, past everything that the server would say to it. */
export async function onRecords<Row>(node: Databases, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new Client(superuserOf(node));
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as Row[];
  } finally {
    await client.end();
  }
}

function superuserOf({ dataDirectory, databases }: Databases): ClientConfig {
  if (databases !== undefined) return { connectionString: databases.recordsUrl };
  const pointer = join(dataDirectory, 'database.json');
  const home = existsSync(pointer)
    ? (JSON.parse(readFileSync(pointer, 'utf8')) as { directory: string }).directory
    : join(dataDirectory, 'database');
  const settings = readFileSync(join(home, 'postgresql.conf'), 'utf8');
  const host = /^unix_socket_directories = '(.*)'$/m.exec(settings)?.[1];
  if (host === undefined) throw new Error(`${home}/postgresql.conf names no socket directory`);
  return { host, port: 5432, user: 'postgres', database: 'medseal' };
}

/** Waits until every committed leaf is numbered and every batch anchored. */
export async function untilAnchored(node: Databases, limit?: number): Promise<void> {
  const isAnchored = async () => {
    const [row] = await onRecords<{ open: boolean }>(
      node,
      `select exists (select from leaf_pending)
         or exists (select from batch where anchored_at is null) as open`,
    );
    return row?.open === false;
  };
  await until('everything is anchored', isAnchored, limit);
}
