import type { LedgerBlock } from '../port.ts';
import { readBlock } from './block.ts';
import { failureOf, toLedgerError } from './failure.ts';
import type { GatewayPeers } from './peers.ts';

/** Reads blocks in order from one peer after the other, and waits for more until `signal` aborts. */
export async function* followBlocks(
  peers: GatewayPeers,
  from: bigint,
  signal: AbortSignal,
): AsyncGenerator<LedgerBlock> {
  let next = from;
  let failures = 0;
  while (!signal.aborted) {
    const peer = peers.current();
    const events = await peer.network.getBlockEvents({ startBlock: next });
    const close = () => events.close();
    whenAborted(signal, close);
    try {
      for await (const received of events) {
        if (signal.aborted) return;
        const block = readBlock(received);
        next = block.number + 1n;
        failures = 0;
        yield block;
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures >= peers.count || failureOf(error).kind !== 'unreachable') throw toLedgerError(error);
      peers.leave(peer, error);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }
}

/** Also where it was aborted before, such as while a peer was asked. */
function whenAborted(signal: AbortSignal, close: () => void): void {
  if (signal.aborted) close();
  else signal.addEventListener('abort', close);
}
