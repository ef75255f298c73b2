import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { MedSealError } from '../../../errors.ts';
import type { ContractCall } from '../port.ts';
import { type ContractClass, contractHost, loadContracts } from './contracts.ts';

const CONTEXT = {
  stub: {} as never,
  clientIdentity: { getMSPID: () => 'AMSP', getAttributeValue: () => null },
};

/** Runs TypeScript in a process of its own. */
function runScript(source: string) {
  const args = [...process.execArgv.filter((arg) => !arg.startsWith('--test')), '--input-type=module-typescript', '-e'];
  return spawnSync(process.execPath, [...args, source], { encoding: 'utf8', cwd: import.meta.dirname });
}

describe('loading the contracts', () => {
  for (const [what, failure] of [
    ['an uncaught exception', "setImmediate(() => { throw new Error('deliberate'); });"],
    ['an unhandled rejection', "Promise.reject(new Error('deliberate'));"],
  ] as const) {
    it(`leaves ${what} fatal`, () => {
      const script = `
        import { loadContracts } from './contracts.ts';
        import './ledger.ts';
        console.log((await loadContracts()).length);
        ${failure}
        setTimeout(() => process.exit(0), 1000);`;
      const { status, stdout, stderr } = runScript(script);
      assert.equal(stdout, '3\n', stderr);
      assert.equal(status, 1);
      assert.match(stderr, /deliberate/);
    });
  }

  it('gives the three contracts of the chaincode', async () => {
    const names = (await loadContracts()).map((Contract) => new Contract(Date.now).getName());
    assert.deepEqual(names, ['anchor', 'consent', 'release']);
  });
});

describe('running a contract', () => {
  /** Records in which order fabric-contract-api's hooks are called. */
  class Hooked {
    readonly calls: string[] = [];
    getName = () => 'anchor';
    createContext = () => ({});
    beforeTransaction = async () => void this.calls.push('before');
    aroundTransaction = async (context: object, transaction: string, args: readonly string[]) => {
      this.calls.push('around');
      return (this as unknown as Record<string, (...all: unknown[]) => unknown>)[transaction]?.(context, ...args);
    };
    afterTransaction = async () => void this.calls.push('after');
    unknownTransaction = async () => {
      throw new Error('MEDSEAL/unknown-transaction: x');
    };
    echo(_context: object, text: string): string {
      return `${text} ${this.calls.join(' ')}`;
    }
    fail(): never {
      throw new Error('out of order');
    }
  }
  const host = contractHost([Hooked as unknown as ContractClass], Date.now);
  const call = (transaction: string, ...args: string[]): ContractCall => ({ contract: 'anchor', transaction, args });

  it('calls the hooks around it', async () => {
    assert.equal(await host.run(call('echo', 'said'), CONTEXT), 'said before around');
  });

  it('turns whatever it throws into a rejection', async () => {
    const rejected = (error: unknown) => error instanceof MedSealError && error.code === 'ledger-rejected';
    await assert.rejects(host.run(call('fail'), CONTEXT), rejected);
    await assert.rejects(host.run(call('missing'), CONTEXT), rejected);
    await assert.rejects(host.run({ ...call('echo', 'x'), contract: 'consent' }, CONTEXT), rejected);
  });
});
