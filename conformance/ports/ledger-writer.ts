/**
 * A process that appends to a log of an embedded ledger until it is killed, as ledger-crash.test.ts does: told what to
 * work on by a message, it keeps each prepared transaction in a file before it submits it, and tells what was committed.
 */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { noFaults } from '../../src/faults.ts';
import { silentLogger } from '../../src/logger.ts';
import { openExternalDatabase } from '../../src/storage/database/external.ts';
import type { LedgerIdentities } from '../../src/trail/ledger/embedded/identities.ts';
import { createEmbeddedLedger } from '../../src/trail/ledger/embedded/ledger.ts';
import type { Ledger } from '../../src/trail/ledger/port.ts';
import { ask, call, extension } from './ledger-fixtures.ts';

export interface WriterTask {
  readonly recordsUrl: string;
  readonly keysUrl: string;
  readonly identities: LedgerIdentities;
  readonly institution: string;
  /** Where the transaction under way is kept. */
  readonly file: string;
  /** Dies after its nth commit, before it can tell of it; 0: never. */
  readonly dieAfterCommit: number;
}

/** What the writer tells: a transaction that it knows to be committed. */
export interface WriterReport {
  readonly transactionId: string;
  readonly size: number;
}

function keep(file: string, bytes: Uint8Array): void {
  const descriptor = openSync(`${file}.new`, 'w');
  writeSync(descriptor, bytes);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.new`, file);
}

async function append(ledger: Ledger, { institution, file }: WriterTask): Promise<WriterReport> {
  const { size } = await ask(ledger, call('anchor', 'read', institution, 'records'));
  const { bytes, transactionId } = await ledger.prepare(
    call('anchor', 'append', await extension(institution, size, size + 1)),
  );
  keep(file, bytes);
  await ledger.submit(bytes);
  return { transactionId, size: size + 1 };
}

process.once('message', async (task: WriterTask) => {
  const { recordsUrl, keysUrl, identities } = task;
  const database = await openExternalDatabase({ recordsUrl, keysUrl, logger: silentLogger });
  let commits = 0;
  const at = async () => {
    commits += 1;
    if (commits === task.dieAfterCommit) process.kill(process.pid, 'SIGKILL');
  };
  const faults = { ...noFaults, at };
  const ledger = await createEmbeddedLedger({ database, identities, clock: Date.now, faults, logger: silentLogger });
  for (;;) process.send?.(await append(ledger, task));
});
process.once('disconnect', () => process.exit());
