import type { TestNode } from '../support/test-node.ts';
import { onRecords } from './records-database.ts';

/** What grows with every request; the rest of the records database hardly changes. */
export const RECORDS: readonly string[] = [
  'access_drop',
  'access_entry',
  'access_segment',
  'batch',
  'carried_batch',
  'consent_current',
  'consent_rule',
  'custom_parameter',
  'idempotency',
  'leaf',
  'leaf_pending',
  'log_tile',
  'patient_link',
  'patient_merge',
  'reindex_run',
  'resource_current',
  'resource_version',
  'search_parameter_set',
];
/** The embedded ledger's. */
export const LEDGER: readonly string[] = ['ledger.block', 'ledger.transaction', 'ledger.state', 'ledger.history'];

/**
 * Copies the tables as they are at one instant, as a backup does. Answers with what puts them back, as often as wanted,
 * while the server stands.
 */
export async function backUp(node: TestNode, tables: readonly string[]): Promise<() => Promise<void>> {
  const copyOf = (table: string) => `backup.${table.replace('.', '_')}`;
  await onRecords(node, 'drop schema if exists backup cascade; create schema backup');
  const copies = tables.map((table) => `create table ${copyOf(table)} as table ${table}`);
  await onRecords(node, ['begin isolation level repeatable read', ...copies, 'commit'].join('; '));
  return async () => {
    const puts = tables.map((table) => `insert into ${table} overriding system value select * from ${copyOf(table)}`);
    await onRecords(node, ['begin', `truncate ${tables.join(', ')}`, ...puts, 'commit'].join('; '));
  };
}
