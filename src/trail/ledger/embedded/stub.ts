import type { ContractStub, StateIterator } from 'medseal-chaincode';
import { invariant } from '../../../errors.ts';
import type { Simulation } from './envelope.ts';
import type { StateReader } from './state-reader.ts';

const SEPARATOR = '\u0000';
const GREATEST = '\u{10ffff}';

/** The chaincode stub of one simulation, and what it recorded. */
export interface SimulationStub {
  readonly stub: ContractStub;
  /** What the simulation amounts to, once the contract has answered. */
  outcome(response: string): Simulation;
}

/**
 * The part of fabric-shim's ChaincodeStub that our contracts use, with a peer's semantics: reads are of committed state
 * and never see the transaction's own writes; a page is not protected against phantoms, so a transaction that read one
 * may not write.
 */
export function simulationStub(state: StateReader, transactionId: string, time: string): SimulationStub {
  const reads = new Map<string, number | null>();
  const writes = new Map<string, string>();
  const policies = new Map<string, string>();
  let event: Simulation['event'] = null;
  let paged = false;

  const stub: ContractStub = {
    getTxID: () => transactionId,
    getDateTimestamp: () => new Date(time),
    createCompositeKey: (type, attributes) => ['', type, ...attributes, ''].join(SEPARATOR),

    async getState(key) {
      const found = await state.get(key);
      reads.set(key, found?.version ?? null);
      return found?.value ?? Buffer.alloc(0);
    },

    async putState(key, value) {
      invariant(!paged, 'a transaction that read a page may not write');
      writes.set(key, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value));
    },

    async setStateValidationParameter(key, policy) {
      policies.set(key, Buffer.from(policy).toString('hex'));
    },

    setEvent(name, payload) {
      event = { name, payload: Buffer.from(payload).toString('utf8') };
    },

    async getStateByPartialCompositeKeyWithPagination(type, attributes, pageSize, bookmark) {
      invariant(writes.size === 0, 'a transaction that writes may not read a page');
      paged = true;
      const prefix = stub.createCompositeKey(type, attributes);
      const start = bookmark.startsWith(prefix) ? bookmark : prefix;
      const { values, next } = await state.page(start, prefix + GREATEST, pageSize);
      return { iterator: iterate(values), metadata: { bookmark: next } };
    },

    async getHistoryForKey(key) {
      return iterate(state.history(key));
    },
  };

  return {
    stub,
    outcome: (response) => ({
      reads: [...reads].map(([key, version]) => ({ key, version })),
      writes: [...writes].map(([key, value]) => ({ key, value })),
      policies: [...policies].map(([key, policy]) => ({ key, policy })),
      event,
      response,
    }),
  };
}

function iterate(values: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): StateIterator {
  const iterator = Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
  return {
    async next() {
      const { value, done } = await iterator.next();
      return { value: { value: value ?? new Uint8Array() }, done: done === true };
    },
    async close() {
      await iterator.return?.();
    },
  };
}
