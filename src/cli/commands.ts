import { access } from './access.ts';
import { client, institution } from './administration.ts';
import { anchors } from './anchors.ts';
import { backup } from './backup.ts';
import { importCommand } from './import/command.ts';
import { migrateStore } from './migrate-store.ts';
import { rebuild } from './rebuild.ts';
import { reindex } from './reindex.ts';
import { restore } from './restore.ts';
import { scrub } from './scrub.ts';
import { token } from './token.ts';
import { verify } from './verify.ts';

export interface Command {
  /** A line, or one for each form that it has. */
  readonly usage: string | readonly string[];
  /** A line, for the list of commands. */
  readonly summary: string;
  /** What `--help` says. */
  readonly about: string;
  /** @returns the exit code */
  run(args: readonly string[]): Promise<number>;
}

const serve: Command = {
  usage: 'medseal serve [--demo]',
  summary: 'Start a server',
  about: 'Starts a server as `npm start` does; configuration is by environment (README.md, Configuration).',
  async run(args) {
    const { serve: start } = await import('../serve.ts');
    await start(args);
    return 0;
  },
};

export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['serve', serve],
  ['institution', institution],
  ['client', client],
  ['token', token],
  ['import', importCommand],
  ['verify', verify],
  ['anchors', anchors],
  ['access', access],
  ['scrub', scrub],
  ['rebuild', rebuild],
  ['reindex', reindex],
  ['backup', backup],
  ['restore', restore],
  ['migrate-store', migrateStore],
]);
