import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryDirectory } from './temporary-directory.ts';

/** A real Kubo daemon on loopback, on a private network of its own test. */
export interface KuboNode {
  /** The RPC API's URL, without a path; the same after a restart. */
  readonly api: string;
  /** IPFS_PATH */
  readonly directory: string;
  /** As a power cut would. */
  kill9(): Promise<void>;
  /** It goes on to take connections, and answers nothing. */
  pause(): void;
  resume(): void;
  /** Starts it again, after ending it where it runs. */
  restart(): Promise<void>;
  /** Leaves no space on its own small disk (`diskBytes`), until `emptyDisk`. */
  fillDisk(): void;
  emptyDisk(): void;
  /** Milliseconds of processor time since its last start. */
  processorTime(): number;
}

/** Kubo's own default is flatfs that is not synced. */
export type Datastore = 'pebble' | 'flatfs' | 'flatfs-unsynced';

export interface KuboOptions {
  /** `pebble` unless said otherwise. */
  readonly datastore?: Datastore;
  /** The repository lies on a disk of this many bytes; Linux only. */
  readonly diskBytes?: number;
}

/** Why a node cannot be given a small disk of its own here, or false. */
export function smallDiskAbsent(): string | false {
  try {
    execFileSync('unshare', ['--map-root-user', '--mount', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    // Another system, or one that does not allow it.
    return 'no unshare with mount namespaces';
  }
}

/**
 * Starts Kubo nodes that share a swarm key and know each other. They end with the test, and leave nothing.
 *
 * @param test a test's context, or `{ after }` for a file
 */
export async function startKubo(
  test: { after(hook: () => Promise<void>): void },
  count: number,
  options: KuboOptions = {},
): Promise<readonly KuboNode[]> {
  const swarmKey = `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`;
  const nodes = await Promise.all(Array.from({ length: count }, () => startNode(test, swarmKey, options)));
  const addresses = await Promise.all(nodes.map((node) => swarmAddress(node.api)));
  for (const [index, node] of nodes.entries()) {
    for (const address of addresses.slice(0, index)) await rpc(node.api, `swarm/connect?arg=${address}`);
  }
  return nodes;
}

/** One call of the RPC API, for what tests do behind the store's back. @returns the answer's text */
export async function rpc(api: string, call: string): Promise<string> {
  const response = await fetch(`${api}/api/v0/${call}`, { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(`${call}: ${text}`);
  return text;
}

/** Unpins everything and drops every block, so that the next test finds the nodes empty. */
export async function emptyKubo(apis: readonly string[]): Promise<void> {
  for (const api of apis) {
    const { Keys = {} } = JSON.parse(await rpc(api, 'pin/ls?type=recursive')) as { Keys?: object };
    for (const cid of Object.keys(Keys)) await rpc(api, `pin/rm?arg=${cid}`);
  }
  await collectGarbage(apis);
}

/** Drops every block that is not under a pin. */
export async function collectGarbage(apis: readonly string[]): Promise<void> {
  for (const api of apis) await rpc(api, 'repo/gc?quiet=true');
}

async function startNode(
  test: { after(hook: () => Promise<void>): void },
  swarmKey: string,
  { datastore = 'pebble', diskBytes }: KuboOptions,
): Promise<KuboNode> {
  const directory = await temporaryDirectory();
  const environment = { ...process.env, IPFS_PATH: directory, IPFS_TELEMETRY: 'off', LIBP2P_FORCE_PNET: '1' };
  const profiles = datastore === 'pebble' ? 'test,pebbleds' : 'test';
  execFileSync('ipfs', ['init', '--empty-repo', `--profile=${profiles}`], {
    env: environment,
    stdio: 'pipe',
  });
  writeFileSync(join(directory, 'swarm.key'), swarmKey, { mode: 0o600 });
  const setApi = (address: string) =>
    changeConfig(directory, (config) => configured(config, address, datastore === 'flatfs'));
  setApi('/ip4/127.0.0.1/tcp/0');
  let current = await startDaemon(directory, environment, diskBytes);
  const api = `http://127.0.0.1:${current.port}`;
  setApi(`/ip4/127.0.0.1/tcp/${current.port}`);
  test.after(() => current.end());
  return {
    api,
    directory,
    kill9: () => current.end(),
    pause: () => current.signal('SIGSTOP'),
    resume: () => current.signal('SIGCONT'),
    async restart() {
      await current.end();
      current = await startDaemon(directory, environment, diskBytes);
    },
    fillDisk: () => fill(join(`/proc/${current.pid}/root`, directory, BALLAST)),
    emptyDisk: () => rmSync(join(`/proc/${current.pid}/root`, directory, BALLAST), { force: true }),
    processorTime: () => current.processorTime(),
  };
}

const BALLAST = 'ballast';

/** Until there is no space left. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (;;) writeSync(handle, ZEROES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}

const ZEROES = Buffer.alloc(4096);

interface Configuration {
  readonly Datastore: { readonly Spec: { readonly mounts?: readonly Readonly<Record<string, unknown>>[] } };
}

/** Nothing that looks for, or tells, anybody outside: the rest is `--profile=test`. */
function configured(config: Configuration, api: string, sync: boolean): object {
  const mounts = config.Datastore.Spec.mounts?.map((mount) => (mount.type === 'flatfs' ? { ...mount, sync } : mount));
  return {
    ...config,
    Addresses: { ...(config as { Addresses?: object }).Addresses, API: api, Gateway: [] },
    Datastore: { ...config.Datastore, Spec: { ...config.Datastore.Spec, mounts } },
    Routing: { Type: 'none' },
    Provide: { Enabled: false },
    Version: { SwarmCheckEnabled: false },
  };
}

function changeConfig(directory: string, change: (config: Configuration) => object): void {
  const file = join(directory, 'config');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Configuration)));
}

interface Daemon {
  readonly pid: number;
  readonly port: number;
  signal(signal: NodeJS.Signals): void;
  processorTime(): number;
  /** By `kill -9`, whatever state it is in. */
  end(): Promise<void>;
}

async function startDaemon(directory: string, env: NodeJS.ProcessEnv, diskBytes: number | undefined): Promise<Daemon> {
  const child = spawnDaemon(directory, env, diskBytes);
  const guard = spawnGuard(child.pid ?? 0);
  const ended = once(child, 'close').then(() => void guard.kill());
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ready = Promise.withResolvers<void>();
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      if (line === 'Daemon is ready') ready.resolve();
    });
  }
  await Promise.race([
    ready.promise,
    ended.then(() => Promise.reject(new Error(`The daemon ended before it was ready:\n${output}`))),
  ]);
  return {
    pid: child.pid ?? 0,
    port: Number(/RPC API server listening on \/ip4\/127\.0\.0\.1\/tcp\/(\d+)/.exec(output)?.[1]),
    signal: (signal) => void child.kill(signal),
    processorTime: () => processorTime(child.pid ?? 0),
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** On a small disk: a file system of its own that only this process sees, and that is gone with it. */
function spawnDaemon(directory: string, env: NodeJS.ProcessEnv, diskBytes: number | undefined): ChildProcess {
  const daemon = ['ipfs', 'daemon'];
  const small = `set -e
    cp -a "$IPFS_PATH" "$IPFS_PATH/../copy-$$"; mount -t tmpfs -o size=${diskBytes} tmpfs "$IPFS_PATH"
    cp -a "$IPFS_PATH/../copy-$$/." "$IPFS_PATH"; rm -r "$IPFS_PATH/../copy-$$"; exec "$@"`;
  const [program = '', ...args] =
    diskBytes === undefined
      ? daemon
      : ['unshare', '--map-root-user', '--mount', 'sh', '-c', small, directory, ...daemon];
  return spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Ends the daemon when this process is gone, however that came: its standard input closes then. */
function spawnGuard(pid: number): ChildProcess {
  return spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "$1"', 'test-kubo-guard', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

async function swarmAddress(api: string): Promise<string> {
  const { Addresses = [] } = JSON.parse(await rpc(api, 'id')) as { Addresses?: readonly string[] };
  return Addresses.find((address) => address.startsWith('/ip4/127.0.0.1/tcp/')) ?? '';
}

/** User and system time of a process, from Linux's table; clock ticks are hundredths of a second. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The file of flatfs that holds these bytes. */
export function blockFile({ directory }: Pick<KuboNode, 'directory'>, bytes: Uint8Array): string {
  const blocks = join(directory, 'blocks');
  const files = readdirSync(blocks, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.data'));
  const found = files.find((name) => readFileSync(join(blocks, name)).equals(bytes));
  if (found === undefined) throw new Error('No file holds the block');
  return join(blocks, found);
}
