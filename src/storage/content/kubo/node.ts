import { create } from 'kubo-rpc-client';
import { CID } from 'multiformats/cid';
import { MedSealError } from '../../../errors.ts';
import { parseCid } from '../cid.ts';
import { isAnswer, saysMissing, saysNotPinned, storageError } from './failures.ts';

/**
 * One Kubo node, as the calls of its RPC API that we need, each within a deadline. They throw MedSealError as the
 * content-store port says. https://docs.ipfs.tech/reference/kubo/rpc/
 */
export interface KuboNode {
  /** `host:port`, for logs. */
  readonly name: string;
  /** Its last call was not answered. */
  readonly isFailing: () => boolean;
  ping(): Promise<void>;
  /** Imports the blocks of a CAR of about `length` bytes, unpinned. */
  importCar(car: AsyncIterable<Uint8Array>, length: number): Promise<void>;
  /** Whether the batch is pinned under our name, which is how ours are told from others'. */
  isPinned(root: string): Promise<boolean>;
  /** Reads the whole batch and pins it. Never on a root that {@link isPinned}: Kubo drops its pin first. */
  pin(root: string): Promise<void>;
  /** Harmless when it is not pinned. */
  unpin(root: string): Promise<void>;
  /** Forgets blocks that no pin holds, so that the next import writes them: Kubo does not write what it has. */
  dropBlocks(cids: readonly string[]): Promise<void>;
  /** Unverified; undefined when it does not lie on this node. */
  block(cid: string): Promise<Uint8Array | undefined>;
  /** Unverified: a CAR of all that the root links to. */
  exportCar(root: string): Promise<Uint8Array>;
  /** Roots of our batches. */
  roots(): AsyncIterable<string>;
  space(): Promise<{ readonly bytes: number; readonly freeBytes: number }>;
  /** `flatfs` without `sync` loses acknowledged blocks in a power failure: its Sync does nothing. */
  isDurable(): Promise<boolean>;
}

/** Milliseconds. */
export interface Deadlines {
  readonly ping: number;
  readonly read: number;
  /** One call that changes little. */
  readonly call: number;
  /** An import or an export, besides a second for each megabyte; and pinning. */
  readonly transfer: number;
  /** Between two answers of a long list. */
  readonly list: number;
}

export const DEADLINES: Deadlines = {
  ping: 1000,
  read: 2000,
  call: 10_000,
  transfer: 30_000,
  list: 10_000,
};

const PIN_NAME = 'medseal';
/** Kubo's option, for every call that the client lets us say it in: what is not local is not looked for. */
const OFFLINE = { offline: true };
/** What a CAR may at most be, from a node that never stops sending. */
const MAX_CAR_BYTES = 256 * 1024 * 1024;
const BYTES_A_MILLISECOND = 1000;

/** @param url of the RPC API, credentials included where it asks for them; @param closing ends every call */
export function openNode(url: string, closing: AbortSignal, deadlines: Deadlines): KuboNode {
  const { host, origin, pathname, username, password } = new URL(url);
  const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const kubo = create({
    url: `${origin}${pathname}`,
    ...(username === '' ? {} : { headers: { authorization: `Basic ${secret}` } }),
  });
  let failing = false;

  /** The client's own `timeout` does nothing on this side of the wire. */
  async function call<T>(deadline: number, work: (options: CallOptions) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(deadline)]);
    try {
      const result = await work({ ...OFFLINE, signal });
      failing = false;
      return result;
    } catch (error) {
      failing = !isAnswer(error) && !closing.aborted;
      throw storageError(host, error);
    }
  }

  return {
    name: host,
    isFailing: () => failing,
    ping: () => call(deadlines.ping, async (options) => void (await kubo.version(options))),

    importCar: (car, length) =>
      call(deadlines.transfer + Math.ceil(length / BYTES_A_MILLISECOND), async ({ signal }) => {
        for await (const _ of kubo.dag.import([car], { signal, pinRoots: false }));
      }),

    isPinned: (root) =>
      call(deadlines.call, async (options) => {
        try {
          const pins = await Array.fromAsync(kubo.pin.ls({ ...options, paths: root, type: 'recursive', names: true }));
          return pins.some(({ name }) => name === PIN_NAME);
        } catch (error) {
          if (saysNotPinned(error)) return false;
          throw error;
        }
      }),

    pin: (root) =>
      call(deadlines.transfer, async (options) => {
        await kubo.pin.add(root, { ...options, recursive: true, name: PIN_NAME });
      }),

    unpin: (root) =>
      call(deadlines.call, async (options) => {
        try {
          await kubo.pin.rm(root, { ...options, recursive: true });
        } catch (error) {
          if (!saysNotPinned(error)) throw error;
        }
      }),

    dropBlocks: (cids) =>
      call(deadlines.call, async (options) => {
        const removals = kubo.block.rm(
          cids.map((cid) => CID.parse(cid)),
          { ...options, force: true },
        );
        for await (const { error } of removals) if (error !== undefined && error !== null) throw error;
      }),

    block: (cid) =>
      call(deadlines.read, async (options) => {
        try {
          return await kubo.block.get(CID.parse(cid), options);
        } catch (error) {
          if (saysMissing(error)) return undefined;
          throw error;
        }
      }),

    exportCar: (root) =>
      call(deadlines.transfer, async ({ signal }) => {
        const chunks: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of kubo.dag.export(CID.parse(root), { signal })) {
          chunks.push(chunk);
          length += chunk.byteLength;
          if (length > MAX_CAR_BYTES) throw new MedSealError('sealed-content-damaged', 'A CAR does not end.');
        }
        return Buffer.concat(chunks);
      }),

    async *roots() {
      const stall = stallSignal(deadlines.list);
      const signal = AbortSignal.any([closing, stall.signal]);
      try {
        stall.await();
        for await (const { cid, name } of kubo.pin.ls({ ...OFFLINE, signal, type: 'recursive', name: PIN_NAME })) {
          stall.stop();
          const root = cid.toString();
          // Kubo finds our name in longer ones too.
          if (name === PIN_NAME && parseCid(root) !== undefined) yield root;
          stall.await();
        }
        failing = false;
      } catch (error) {
        failing = !isAnswer(error) && !closing.aborted;
        throw storageError(host, error);
      } finally {
        stall.stop();
      }
    },

    space: () =>
      call(deadlines.read, async (options) => {
        // Without it Kubo counts every block, one by one.
        const sizeOnly: CallOptions & { readonly sizeOnly: true } = { ...options, sizeOnly: true };
        const [{ repoSize }, system] = await Promise.all([kubo.repo.stat(sizeOnly), kubo.diag.sys(options)]);
        const { diskinfo } = system as SystemInformation;
        // Kubo tells what is free to root as `free_space`, and on Linux what is free to itself as `total_space`.
        return { bytes: Number(repoSize), freeBytes: Math.min(diskinfo.free_space, diskinfo.total_space) };
      }),

    isDurable: () =>
      call(deadlines.call, async (options) => {
        const { mounts = [] } = (await kubo.config.get('Datastore.Spec', options)) as DatastoreSpec;
        return mounts.every(({ type, sync }) => type !== 'flatfs' || sync === true);
      }),
  };
}

/** Those that answer. */
export async function reachableOf(nodes: readonly KuboNode[]): Promise<readonly KuboNode[]> {
  const answers = await Promise.allSettled(nodes.map((node) => node.ping()));
  return nodes.filter((_, index) => answers[index]?.status === 'fulfilled');
}

interface CallOptions {
  readonly offline: boolean;
  readonly signal: AbortSignal;
}

interface SystemInformation {
  readonly diskinfo: { readonly free_space: number; readonly total_space: number };
}

interface DatastoreSpec {
  readonly mounts?: readonly { readonly type?: string; readonly sync?: boolean }[];
}

/** Aborts when nothing has come for so long, however long the whole takes. */
function stallSignal(milliseconds: number) {
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: stalled.signal,
    await: () => {
      timer = setTimeout(() => stalled.abort(new Error('nothing comes any more')), milliseconds);
    },
    stop: () => clearTimeout(timer),
  };
}
