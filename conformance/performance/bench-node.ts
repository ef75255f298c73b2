import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../src/cli/connection.ts';
import { accessToken } from '../../src/cli/token.ts';
import { cachedToken } from '../support/fhir-client.ts';
import { addParticipants, databaseProcess, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Usage, usageOf } from './process-usage.ts';

/** A server with everything embedded, as `npm start` has it, in a temporary directory on a free port. */
export interface BenchNode {
  readonly server: () => ServerProcess;
  readonly origin: () => string;
  /** Milliseconds from the start of the process until it said that it was ready: the first time, and each time since. */
  readonly boot: number;
  readonly restarts: readonly number[];
  /** As `medseal token` gives it, renewed in time. */
  readonly token: (client: string) => () => Promise<string>;
  readonly usage: () => Usage;
  restart(): Promise<void>;
  /** Waits until server and database have hardly anything to do, or for a minute. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const IDLE_SHARE = 0.1;
const SETTLE = { sample: 500, limit: 60_000 };

/** @param participants whether the demonstration's institutions and clients are made */
export async function startBenchNode(participants = true): Promise<BenchNode> {
  const dataDirectory = join(await temporaryDirectory(), 'data');
  mkdirSync(dataDirectory);
  const start = async (port: string) => {
    const began = performance.now();
    // The inspector opens on a signal only.
    const settings = { MEDSEAL_DATA: dataDirectory, PORT: port, LOG_LEVEL: 'warn' };
    const server = startServerProcess([], settings, ['--inspect-port=0']);
    const origin = await server.ready();
    return { server, origin, milliseconds: performance.now() - began };
  };
  let current = await start('0');
  const restarts: number[] = [];
  const tokens = new Map<string, () => Promise<string>>();
  const usage = () => usageOf(current.server.pid, databaseProcess(dataDirectory) ?? 0);
  if (participants) await addParticipants(connect(dataDirectory));

  return {
    server: () => current.server,
    origin: () => current.origin,
    boot: current.milliseconds,
    restarts,
    token(client) {
      const known = tokens.get(client) ?? cachedToken(() => accessToken(connect(dataDirectory), client));
      tokens.set(client, known);
      return known;
    },
    usage,
    async restart() {
      await current.server.end('SIGTERM');
      // The same port: tokens are for this address.
      current = await start(new URL(current.origin).port);
      restarts.push(current.milliseconds);
    },
    async settle() {
      for (let waited = 0; waited < SETTLE.limit; waited += SETTLE.sample) {
        const before = usage();
        await delay(SETTLE.sample);
        const after = usage();
        const busy = after.server + after.postgres - before.server - before.postgres;
        if (busy < SETTLE.sample * 1000 * IDLE_SHARE) return;
      }
    },
    stop: () => current.server.end('SIGTERM'),
  };
}
