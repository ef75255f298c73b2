import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client } from 'pg';
import { testLedger } from '../../../../conformance/ports/ledger-embedded.ts';
import { ask, call, extension, run, startedLog } from '../../../../conformance/ports/ledger-fixtures.ts';
import { type ErrorCode, MedSealError } from '../../../errors.ts';
import { noFaults } from '../../../faults.ts';
import type { Database } from '../../../storage/database/port.ts';
import { isRetriable, type Ledger, refusalOf } from '../port.ts';
import { generateLedgerIdentities, parseLedgerIdentities } from './identities.ts';
import { stateReader } from './state-reader.ts';
import { simulationStub } from './stub.ts';

const withCode = (code: ErrorCode) => (error: unknown) => error instanceof MedSealError && error.code === code;

async function asSuperuser(connectionString: string, work: (sql: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function readBlocks(ledger: Ledger, last: bigint): Promise<void> {
  const abort = new AbortController();
  for await (const { number } of ledger.blocks(0n, abort.signal)) if (number === last) abort.abort();
}

const ALTERATIONS = [
  `update ledger.block set data = convert_to(replace(convert_from(data, 'utf8'), 'AMSP', 'BMSP'), 'utf8')`,
  `update ledger.block set data = convert_to(replace(convert_from(data, 'utf8'), 'contract', '\\u0063ontract'), 'utf8')`,
  `update ledger.block set header = convert_to(replace(convert_from(header, 'utf8'), 'VALID', 'INVALID'), 'utf8')`,
  'update ledger.block set signature = set_byte(signature, 5, get_byte(signature, 5) # 1) where number = 1',
  "update ledger.transaction set status = 'MVCC_READ_CONFLICT'",
  'delete from ledger.transaction where block = 1',
  `update ledger.block set header = other.header, signature = other.signature, data = other.data
     from saved_block other where other.number = 2 and block.number = 1`,
];
const RESTORATION = `
  update ledger.block set header = saved.header, signature = saved.signature, data = saved.data
    from saved_block saved where saved.number = block.number;
  insert into ledger.transaction select * from saved_transaction
    on conflict (id) do update set status = excluded.status;`;

describe('embedded ledger', () => {
  it('does not open with other keys than it was begun with', async (test) => {
    const { open } = await testLedger(test);
    await open();
    await assert.rejects(open({ identities: generateLedgerIdentities() }), withCode('invalid-configuration'));
  });

  it('is begun once by replicas that start together', async (test) => {
    const { open, ledger } = await testLedger(test);
    await Promise.all([open(), open(), open()]);
    const institution = await startedLog(ledger, 3);
    assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).size, 3);
    await readBlocks(ledger, 2n);
  });

  it('shows every alteration of what it stored', async (test) => {
    const { ledger, recordsUrl } = await testLedger(test);
    await startedLog(ledger, 3);
    await asSuperuser(recordsUrl, async (sql) => {
      await sql.query('create table saved_block as select * from ledger.block');
      await sql.query('create table saved_transaction as select * from ledger.transaction');
      for (const alteration of ALTERATIONS) {
        await sql.query(alteration);
        await assert.rejects(readBlocks(ledger, 2n), withCode('sealed-content-damaged'), alteration);
        await sql.query(RESTORATION);
        await readBlocks(ledger, 2n);
      }
    });
  });

  it('shows a block that was cut out of the chain', async (test) => {
    const { ledger, recordsUrl } = await testLedger(test);
    await startedLog(ledger, 3);
    await asSuperuser(recordsUrl, async (sql) => {
      // Also takes the foreign keys away.
      await sql.query('set session_replication_role = replica');
      await sql.query('delete from ledger.transaction where block = 1');
      await sql.query('delete from ledger.block where number = 1');
    });
    await assert.rejects(readBlocks(ledger, 2n), withCode('sealed-content-damaged'));
  });

  it('lets its node only add blocks', async (test) => {
    const { database } = await testLedger(test);
    for (const statement of [
      'update ledger.block set signature = signature',
      'delete from ledger.block',
      'update ledger.transaction set status = status',
      'delete from ledger.transaction',
      'delete from ledger.history',
      'delete from ledger.state',
    ]) {
      await assert.rejects(database.query('writer', statement), withCode('internal'), statement);
    }
  });

  it('orders what several nodes append at once, losing and repeating nothing', async (test) => {
    const { open, ledger } = await testLedger(test);
    const institution = await startedLog(ledger, 1);
    const nodes = await Promise.all([open(), open(), open()]);
    let conflicts = 0;
    const appendOne = async (node: Ledger): Promise<void> => {
      const { size } = await ask(node, call('anchor', 'read', institution, 'records'));
      try {
        const { status } = await run(node, call('anchor', 'append', await extension(institution, size, size + 1)));
        if (status === 'VALID') return;
        assert.ok(isRetriable(status), status);
        conflicts += 1;
      } catch (error) {
        // Another node was faster already before this one prepared.
        assert.ok(['anchor-same-size', 'anchor-smaller'].includes(refusalOf(error) ?? ''), String(error));
      }
      return appendOne(node);
    };
    await Promise.all(
      nodes.map(async (node) => {
        for (let count = 0; count < 5; count++) await appendOne(node);
      }),
    );
    const anchor = await ask(ledger, call('anchor', 'read', institution, 'records'));
    assert.deepEqual([anchor.size, anchor.sequence], [16, 16]);
    await readBlocks(ledger, BigInt(2 + 15 + conflicts));
  });

  it('is unavailable while its database is', async (test) => {
    const { ledger, open, database } = await testLedger(test);
    const institution = await startedLog(ledger, 3);
    const append = call('anchor', 'append', await extension(institution, 3, 5));
    const { bytes, transactionId } = await ledger.prepare(append);
    let down = true;
    const outage = () => {
      if (down) throw new MedSealError('storage-unavailable', 'down');
    };
    const flaky: Database = {
      ...database,
      query: async (...args) => {
        outage();
        return database.query(...args);
      },
      transaction: async (...args) => {
        outage();
        return database.transaction(...args);
      },
    };
    await assert.rejects(open({ database: flaky }), withCode('ledger-unavailable'));
    down = false;
    const unlucky = await open({ database: flaky });
    down = true;
    await assert.rejects(unlucky.prepare(append), withCode('ledger-unavailable'));
    await assert.rejects(unlucky.submit(bytes), withCode('ledger-unavailable'));
    await assert.rejects(unlucky.find(transactionId), withCode('ledger-unavailable'));
    await assert.rejects(ask(unlucky, call('anchor', 'read', institution, 'records')), withCode('ledger-unavailable'));
    await assert.rejects(readBlocks(unlucky, 2n), withCode('ledger-unavailable'));
    down = false;
    assert.equal((await unlucky.submit(bytes)).status, 'VALID');
  });

  it('can be asked again when it failed after the commit', async (test) => {
    const { open, ledger } = await testLedger(test);
    const institution = await startedLog(ledger, 3);
    const at = async () => {
      throw new MedSealError('ledger-unavailable', 'the answer got lost');
    };
    const failing = await open({ faults: { ...noFaults, at } });
    const { bytes, transactionId } = await failing.prepare(
      call('anchor', 'append', await extension(institution, 3, 5)),
    );
    await assert.rejects(failing.submit(bytes), withCode('ledger-unavailable'));
    const found = await ledger.find(transactionId);
    assert.ok(found?.status === 'VALID');
    const { prove: _, ...committed } = found;
    assert.deepEqual(await ledger.submit(bytes), committed);
  });
});

describe('embedded ledger: identities', () => {
  it('survive being stored', () => {
    const identities = generateLedgerIdentities();
    assert.deepEqual(parseLedgerIdentities(JSON.stringify(identities)), identities);
  });

  it('are refused when damaged, or too few', () => {
    const { blockSigner: _, ...incomplete } = generateLedgerIdentities();
    assert.throws(() => parseLedgerIdentities(JSON.stringify(incomplete)), withCode('invalid-configuration'));
    assert.throws(() => parseLedgerIdentities('{'), withCode('invalid-configuration'));
    assert.throws(() => generateLedgerIdentities(['AMSP']), withCode('invalid-configuration'));
  });
});

describe('embedded ledger: the chaincode stub', () => {
  it('does not mix pages and writes, as a peer does not', async (test) => {
    const { database } = await testLedger(test);
    const stub = () => simulationStub(stateReader(database), 'ab'.repeat(32), new Date().toISOString()).stub;
    const writing = stub();
    await writing.putState(writing.createCompositeKey('anchor', ['a']), Buffer.from('{}'));
    await assert.rejects(writing.getStateByPartialCompositeKeyWithPagination('anchor', [], 1, ''), /writes may not/);
    const paging = stub();
    await paging.getStateByPartialCompositeKeyWithPagination('anchor', [], 1, '');
    await assert.rejects(paging.putState('key', Buffer.from('{}')), /read a page may not write/);
  });

  it('reads committed state only, and holds text only', async (test) => {
    const { database } = await testLedger(test);
    const { stub, outcome } = simulationStub(stateReader(database), 'ab'.repeat(32), '2026-11-22T00:00:00.000Z');
    await stub.putState('key', Buffer.from('{"a":1}'));
    assert.equal((await stub.getState('key')).length, 0);
    await assert.rejects(stub.putState('key', Buffer.from([0xff])), TypeError);
    assert.deepEqual(outcome('done'), {
      reads: [{ key: 'key', version: null }],
      writes: [{ key: 'key', value: '{"a":1}' }],
      policies: [],
      event: null,
      response: 'done',
    });
    assert.equal(stub.createCompositeKey('anchor', ['a', 'b']), '\u0000anchor\u0000a\u0000b\u0000');
    assert.equal(stub.getDateTimestamp().toISOString(), '2026-11-22T00:00:00.000Z');
  });
});
