import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { LedgerTransaction } from '../../src/trail/ledger/port.ts';
import { seed } from '../support/seed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type TestLedger, testLedger } from './ledger-embedded.ts';
import { call, consentRequest, run, startedLog } from './ledger-fixtures.ts';
import type { WriterReport, WriterTask } from './ledger-writer.ts';

const WRITER = join(import.meta.dirname, 'ledger-writer.ts');

/** Runs the writer until `kill` resolves (which gets its reports as they come) or it dies by itself. */
async function runWriter(task: WriterTask, kill: (next: () => Promise<unknown>) => Promise<unknown>) {
  const writer = fork(WRITER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const reports: WriterReport[] = [];
  writer.on('message', (report) => reports.push(report as WriterReport));
  const exited = once(writer, 'exit');
  writer.send(task);
  await Promise.race([exited, kill(() => once(writer, 'message'))]);
  writer.kill('SIGKILL');
  await exited;
  return reports;
}

/** What a server does when it starts again: the bytes that it kept are submitted, again or for the first time. */
async function recover({ open }: TestLedger, file: string): Promise<void> {
  if (!existsSync(file)) return;
  const committed = await (await open()).submit(readFileSync(file));
  assert.equal(committed.status, 'VALID');
  rmSync(file);
}

async function anchorsOf({ ledger }: TestLedger, institution: string): Promise<LedgerTransaction[]> {
  const { block: last } = await run(ledger, call('consent', 'record', consentRequest(institution)));
  const abort = new AbortController();
  const found: LedgerTransaction[] = [];
  for await (const { number, transactions } of ledger.blocks(0n, abort.signal)) {
    found.push(...transactions.filter(({ event }) => event?.name === 'anchor'));
    if (number === last) abort.abort();
  }
  return found;
}

/** Kills the writer again and again; afterwards every committed anchor must be there once, and in order. */
async function survive(
  test: TestContext,
  rounds: readonly { dieAfterCommit: number; kill: (next: () => Promise<unknown>) => Promise<unknown> }[],
): Promise<void> {
  const setting = await testLedger(test);
  const { recordsUrl, keysUrl, identities } = setting;
  const institution = await startedLog(setting.ledger, 1);
  const file = join(await temporaryDirectory(), 'transaction');
  const told: WriterReport[] = [];
  for (const { dieAfterCommit, kill } of rounds) {
    const task = { recordsUrl, keysUrl, identities, institution, file, dieAfterCommit };
    told.push(...(await runWriter(task, kill)));
    await recover(setting, file);
  }
  const anchors = await anchorsOf(setting, institution);
  const sizes = anchors.map(({ event }) => JSON.parse(event?.payload ?? '').size);
  assert.deepEqual(
    sizes,
    sizes.map((_, index) => index + 1),
  );
  assert.equal(new Set(anchors.map(({ transactionId }) => transactionId)).size, anchors.length);
  const ids = new Map(
    anchors.map(({ transactionId, event }) => [transactionId, JSON.parse(event?.payload ?? '').size]),
  );
  for (const { transactionId, size } of told) assert.equal(ids.get(transactionId), size, 'told, so committed');
}

describe('embedded ledger: kill -9', () => {
  it('right after a commit loses and repeats nothing', async (test) => {
    const never = () => new Promise(() => undefined);
    await survive(test, [
      { dieAfterCommit: 1, kill: never },
      { dieAfterCommit: 3, kill: never },
      { dieAfterCommit: 1, kill: never },
    ]);
  });

  it('at any moment loses and repeats nothing', async (test) => {
    const random = seed(test);
    const rounds = Array.from({ length: 6 }, () => ({
      dieAfterCommit: 0,
      kill: async (next: () => Promise<unknown>) => {
        await next();
        await setTimeout(random.integer(25));
      },
    }));
    await survive(test, rounds);
  });
});
