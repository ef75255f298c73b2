import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from '../support/server-process.ts';
import type { CpuProfile } from './fold-profile.ts';

/** Profiles a server that runs with `--inspect-port=0`: its inspector opens on SIGUSR1 only. */
export async function profileDuring(server: ServerProcess, work: () => Promise<void>): Promise<CpuProfile> {
  const socket = new WebSocket(await openInspector(server));
  await once(socket, 'open');
  try {
    const call = callerOf(socket);
    await call('Profiler.enable');
    await call('Profiler.setSamplingInterval', { interval: 500 });
    await call('Profiler.start');
    await work();
    const { profile } = (await call('Profiler.stop')) as { profile: CpuProfile };
    return profile;
  } finally {
    socket.close();
  }
}

async function openInspector(server: ServerProcess): Promise<string> {
  const address = () => /Debugger listening on (ws:\S+)/.exec(server.log())?.[1];
  if (address() === undefined) process.kill(server.pid, 'SIGUSR1');
  for (let waited = 0; waited < 10_000; waited += 20) {
    const found = address();
    if (found !== undefined) return found;
    await delay(20);
  }
  throw new Error('The server opened no inspector');
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

function callerOf(socket: WebSocket): (method: string, parameters?: object) => Promise<unknown> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Reply;
    const call = waiting.get(id ?? 0);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error.message));
  });
  socket.addEventListener('close', () => {
    for (const call of waiting.values()) call.reject(new Error('The server closed the inspector'));
  });
  return (method, parameters = {}) => {
    const id = ++last;
    const call = Promise.withResolvers<unknown>();
    waiting.set(id, call);
    socket.send(JSON.stringify({ id, method, params: parameters }));
    return call.promise;
  };
}
