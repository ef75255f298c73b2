import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, type Gateway, type Network, type Signer, signers } from '@hyperledger/fabric-gateway';
import type { FabricConfig } from '../../../config.ts';
import { MedSealError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { failureOf } from './failure.ts';

/** A peer whose gateway this node uses. */
export interface GatewayPeer {
  readonly endpoint: string;
  readonly gateway: Gateway;
  readonly network: Network;
}

/** The node's peers, of which one is asked at a time, until it fails. */
export interface GatewayPeers {
  readonly count: number;
  readonly signer: Signer;
  current(): GatewayPeer;
  /** The one after `peer` is asked from now on, unless another has taken its place already. */
  leave(peer: GatewayPeer, error: unknown): void;
  /** Has one peer after the other do it, beginning with the current one, while the peer is what fails. */
  ask<T>(work: (peer: GatewayPeer) => Promise<T>): Promise<T>;
  close(): void;
}

/** Time limits in milliseconds. An anchor's batch takes a fraction of a second; a change of leader a few. */
const EVALUATE = 10_000;
const ENDORSE = 15_000;
const SUBMIT = 15_000;
const COMMIT = 30_000;

const CHANNEL_OPTIONS = {
  // A block holds as much as the orderers let it; Fabric's own limit.
  'grpc.max_receive_message_length': 100 * 1024 * 1024,
  'grpc.max_send_message_length': 100 * 1024 * 1024,
  // A peer that hangs, or a connection that a firewall has dropped, is noticed; no oftener than peers allow by default.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
};

/** @throws MedSealError `invalid-configuration` when a file is missing or not what it should be */
export function connectPeers(config: FabricConfig, logger: Logger): GatewayPeers {
  const identity = { mspId: config.mspId, credentials: read(config.certificate) };
  const signer = signers.newPrivateKeySigner(privateKey(config.key));
  const clients: Client[] = [];
  const peers = config.peers.map(({ endpoint, tlsRoot, hostAlias }): GatewayPeer => {
    const alias = hostAlias === undefined ? {} : { 'grpc.ssl_target_name_override': hostAlias };
    const client = new Client(endpoint, credentials.createSsl(read(tlsRoot)), { ...CHANNEL_OPTIONS, ...alias });
    clients.push(client);
    const gateway = connect({
      client,
      identity,
      signer,
      evaluateOptions: () => ({ deadline: Date.now() + EVALUATE }),
      endorseOptions: () => ({ deadline: Date.now() + ENDORSE }),
      submitOptions: () => ({ deadline: Date.now() + SUBMIT }),
      commitStatusOptions: () => ({ deadline: Date.now() + COMMIT }),
    });
    return { endpoint, gateway, network: gateway.getNetwork(config.channel) };
  });
  let index = 0;

  function current(): GatewayPeer {
    const peer = peers[index % peers.length];
    if (peer === undefined) throw new MedSealError('invalid-configuration', 'MEDSEAL_FABRIC names no peers');
    return peer;
  }

  function leave(peer: GatewayPeer, error: unknown): void {
    if (peers.length === 1 || current() !== peer) return;
    index += 1;
    logger.warn({ err: error, peer: peer.endpoint, next: current().endpoint }, 'a peer of the ledger failed');
  }

  return {
    count: peers.length,
    signer,
    current,
    leave,
    async ask(work) {
      for (let tried = 1; ; tried++) {
        const peer = current();
        try {
          return await work(peer);
        } catch (error) {
          if (failureOf(error).kind !== 'unreachable' || error instanceof MedSealError) throw error;
          leave(peer, error);
          if (tried >= peers.length) throw error;
        }
      }
    },
    close() {
      for (const { gateway } of peers) gateway.close();
      for (const client of clients) client.close();
    },
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new MedSealError('invalid-configuration', `MEDSEAL_FABRIC: ${path} cannot be read`, { cause });
  }
}

function privateKey(path: string) {
  try {
    return createPrivateKey(read(path));
  } catch (cause) {
    if (cause instanceof MedSealError) throw cause;
    throw new MedSealError('invalid-configuration', `MEDSEAL_FABRIC: ${path} is not a private key`, { cause });
  }
}
