/** A server that has several peers to ask goes on while one of them answers. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { FabricConfig } from '../../src/config.ts';
import { MedSealError } from '../../src/errors.ts';
import type { FabricLedger } from '../../src/trail/ledger/fabric/ledger.ts';
import { ask, call, extension, run, startedLog } from '../ports/ledger-fixtures.ts';
import { skippedWithout } from '../support/engines.ts';
import { startRelay, type TcpRelay } from '../support/tcp-relay.ts';
import { type TestNetwork, testNetwork } from '../support/test-network.ts';

suite('several peers', { skip: skippedWithout('peer') }, () => {
  let network: TestNetwork;
  let config: FabricConfig;
  const relays: TcpRelay[] = [];

  before(async () => {
    network = await testNetwork('raft');
    config = network.config(network.organisation('hospital-a'));
  });
  after(async () => {
    for (const relay of relays) await relay.cut();
    await network?.close();
  });

  /** A ledger that reaches its peer by two ways. */
  async function byTwoWays(): Promise<{ ledger: FabricLedger; first: TcpRelay; second: TcpRelay }> {
    const [peer] = config.peers;
    assert.ok(peer !== undefined);
    const way = () => startRelay(Number(peer.endpoint.split(':')[1]));
    const [first, second] = [await way(), await way()];
    relays.push(first, second);
    const peers = [first, second].map(({ port }) => ({ ...peer, endpoint: `127.0.0.1:${port}` }));
    const ledger = network.open(network.organisation('hospital-a'), { config: { ...config, peers } });
    return { ledger, first, second };
  }

  test('the first is down from the start', async () => {
    const { ledger, first } = await byTwoWays();
    await first.cut();
    const institution = await startedLog(ledger, 3);
    assert.equal((await run(ledger, call('anchor', 'append', await extension(institution, 3, 5)))).status, 'VALID');
    assert.equal((await ledger.status()).reachable, true);
  });

  test('one goes between endorsing and submitting, then the other comes to nothing too', async () => {
    const { ledger, first, second } = await byTwoWays();
    const institution = await startedLog(ledger, 3);
    const { bytes, transactionId } = await ledger.prepare(call('anchor', 'append', await extension(institution, 3, 5)));
    await first.cut();
    assert.deepEqual((await ledger.submit(bytes)).status, 'VALID');
    assert.equal((await ledger.find(transactionId))?.status, 'VALID');
    await second.cut();
    const unavailable = (error: unknown) => error instanceof MedSealError && error.code === 'ledger-unavailable';
    await assert.rejects(ledger.submit(bytes), unavailable);
    await assert.rejects(ask(ledger, call('anchor', 'read', institution, 'records')), unavailable);
  });

  test('one falls silent', async () => {
    const { ledger, first } = await byTwoWays();
    const institution = await startedLog(ledger, 3);
    first.silence();
    assert.equal((await ask(ledger, call('anchor', 'read', institution, 'records'))).size, 3);
    assert.equal((await run(ledger, call('anchor', 'append', await extension(institution, 3, 5)))).status, 'VALID');
  });

  test('blocks go on where they were, none left out and none twice', async () => {
    const { ledger, first } = await byTwoWays();
    const institution = await startedLog(ledger, 3);
    const { block: from } = await run(ledger, call('anchor', 'append', await extension(institution, 3, 5)));
    const numbers: bigint[] = [];
    const abort = new AbortController();
    const following = (async () => {
      for await (const { number } of ledger.blocks(from - 1n, abort.signal)) {
        numbers.push(number);
        if (number === from) await first.cut();
        if (number >= from + 3n) abort.abort();
      }
    })();
    for (let size = 5; size < 8; size++) {
      await run(ledger, call('anchor', 'append', await extension(institution, size, size + 1)));
    }
    await following;
    assert.deepEqual(numbers.slice(0, 5), [from - 1n, from, from + 1n, from + 2n, from + 3n]);
  });
});
