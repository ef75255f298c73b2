/** `npm run network`: what it starts it ends, and nothing else. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/config.ts';
import { skippedWithout } from '../support/engines.ts';
import { processes } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CLI = fileURLToPath(new URL('../../fabric/network/cli.ts', import.meta.url));

async function network(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (errors += text));
  const [code] = await once(child, 'close');
  return { code, output, errors };
}

suite('npm run network', { skip: skippedWithout('peer') }, () => {
  test('up, status, up again, down', async () => {
    const directory = join(await temporaryDirectory(), 'network');
    const here = ['--raft', '--dir', directory];
    const status = async () => (await network(['status', '--dir', directory])).output.trim().split('\n');
    try {
      const made = await network(['up', ...here]);
      assert.equal(made.code, 0, made.errors);
      assert.match(made.output, /^ready in \d+\.\d s, in /);
      const files = [...made.output.matchAll(/MEDSEAL_FABRIC=(\S+)/g)].map(([, file = '']) => file);
      assert.deepEqual(
        files.map((file) => readConfig({ MEDSEAL_FABRIC: file }).fabric?.mspId),
        ['HospitalAMSP', 'ResearchInstituteMSP'],
      );
      const running = (await status()).map((line) => Number(/running, process (\d+)$/.exec(line)?.[1]));
      assert.equal(running.length, 5);
      assert.ok(running.every((pid) => pid > 0));

      process.kill(running[1] ?? 0, 'SIGKILL');
      assert.equal((await status()).filter((line) => line.endsWith('not running')).length, 1);
      const again = await network(['up', ...here]);
      assert.equal(again.code, 0, again.errors);
      assert.equal((await status()).filter((line) => line.endsWith('not running')).length, 0);
      assert.equal((await network(['up', '--dir', directory])).code, 1, 'it is a network of the other form');

      const down = await network(['down', '--dir', directory]);
      assert.equal(down.code, 0, down.errors);
      assert.ok(!existsSync(directory));
      const left = new Set(processes().map(({ pid }) => pid));
      assert.deepEqual(
        running.filter((pid) => left.has(pid)),
        [],
      );
    } finally {
      await network(['down', '--dir', directory]);
    }
  });

  test('ends no process that only has the id of one of its own', async () => {
    const directory = join(await temporaryDirectory(), 'network');
    const stranger = spawn('sleep', ['60']);
    try {
      mkdirSync(join(directory, 'run'), { recursive: true });
      const state = { variant: 'raft', addresses: {}, packageId: 'x', complete: false };
      writeFileSync(join(directory, 'network.json'), JSON.stringify(state));
      writeFileSync(join(directory, 'run/hospital-a.peer.pid'), `${stranger.pid} 1`);
      assert.equal((await network(['down', '--dir', directory])).code, 0);
      assert.equal(stranger.exitCode ?? stranger.signalCode, null);
      assert.ok(!existsSync(directory));
    } finally {
      stranger.kill();
    }
  });

  test('touches nothing in a directory that holds something else', async () => {
    const directory = await temporaryDirectory();
    writeFileSync(join(directory, 'letters'), 'dear');
    const { code, errors } = await network(['up', '--raft', '--dir', directory]);
    assert.deepEqual([code, readdirSync(directory)], [1, ['letters']]);
    assert.match(errors, /holds something else/);
    assert.equal((await network(['down', '--dir', directory])).code, 0);
    assert.deepEqual(readdirSync(directory), ['letters']);
  });

  test('names every program that is missing, and makes nothing', async () => {
    const directory = join(await temporaryDirectory(), 'network');
    const { code, errors } = await network(['up', '--dir', directory], { PATH: '/nowhere' });
    assert.equal(code, 1);
    assert.match(errors, /Not on the PATH: peer, orderer, configtxgen, cryptogen, osnadmin/);
    assert.ok(!existsSync(directory));
  });
});
