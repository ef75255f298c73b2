/** `npm run network -- up|down|status [--raft] [--dir D]`: the consortium's network as plain processes. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { down, open, up } from './network.ts';

const USAGE = 'network up|down|status [--raft] [--dir DIRECTORY]';
const DEFAULT_DIRECTORY = join(import.meta.dirname, '../.network');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function commandUp(directory: string, raft: boolean): Promise<void> {
  const started = performance.now();
  const network = await up(directory, raft ? 'raft' : 'bft');
  say(`ready in ${((performance.now() - started) / 1000).toFixed(1)} s, in ${directory}`);
  for (const organisation of network.organisations) {
    say(`${organisation.name.padEnd(20)} MEDSEAL_FABRIC=${network.clientConfigFile(organisation)}`);
  }
  say(`${'trust roots'.padEnd(20)} ${network.rootsFile}`);
}

function commandStatus(directory: string): void {
  const network = open(directory);
  for (const node of network.nodes) {
    const pid = network.pid(node);
    say(`${node.padEnd(30)} ${pid === undefined ? 'not running' : `running, process ${pid}`}`);
  }
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { raft: { type: 'boolean', default: false }, dir: { type: 'string', default: DEFAULT_DIRECTORY } },
  });
  const [command, ...more] = positionals;
  if (more.length > 0) throw new Error(USAGE);
  if (command === 'up') await commandUp(values.dir, values.raft);
  else if (command === 'down') await down(values.dir);
  else if (command === 'status') commandStatus(values.dir);
  else throw new Error(USAGE);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
