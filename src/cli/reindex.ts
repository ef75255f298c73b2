import { setTimeout as delay } from 'node:timers/promises';
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { Command } from './commands.ts';
import { call, connect, localTokenEndpoint } from './connection.ts';
import { readClient } from './data-directory.ts';
import { barLine } from './import/progress.ts';
import { clientTokens } from './import/tokens.ts';
import { count } from './text.ts';
import { needed, parseOptions } from './usage.ts';

const OPTIONS = {
  institution: { type: 'string' },
  client: { type: 'string' },
  status: { type: 'boolean', default: false },
} as const;
const LOOK_EVERY = 500;

export const reindex: Command = {
  usage: 'medseal reindex --institution I [--client C] [--status]',
  summary: 'Index an institution’s records by its custom search parameters again',
  about: `A run over all records of the types that the institution's active SearchParameters are of, in the background of the
running server; this waits for it, and Ctrl-C does not end it. One that is accepted starts its own run, so this is needed
only where something is to be made good.

--client C  a client whose key lies in the data directory; unless said otherwise, that of the institution
--status    start nothing; show what is under way, and wait for it`,
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, 0);
    const institution = needed(values.institution, '--institution');
    const ask = baseOf(institution, values.client ?? institution);
    if (!values.status && runsOf(await ask('POST', '$reindex')).length === 0) {
      process.stdout.write(`${institution} has no active SearchParameter\n`);
      return 0;
    }
    return watch(() => ask('GET', '$reindex-status'));
  },
};

type Ask = (method: 'GET' | 'POST', operation: string) => Promise<Parameters>;

function baseOf(institution: string, name: string): Ask {
  const { directory, address } = connect();
  const client = readClient(directory, name);
  if (client === undefined) {
    throw new MedSealError('not-found', `There is no key of a client ${name} in ${directory}/clients`);
  }
  const tokens = clientTokens(localTokenEndpoint(address), client, () => performance.now());
  return async (method, operation) => {
    const response = await call(`${address.url}/${institution}/fhir/${operation}`, {
      method,
      headers: { authorization: `Bearer ${await tokens.current()}`, 'content-type': 'application/fhir+json' },
      ...(method === 'POST' ? { body: JSON.stringify({ resourceType: 'Parameters' }) } : {}),
    });
    return (await response.json()) as Parameters;
  };
}

/** Shows the runs until all of them are finished: as a bar on a terminal, and the end in any case. */
async function watch(status: () => Promise<Parameters>): Promise<number> {
  const { stderr: terminal } = process;
  for (;;) {
    const runs = runsOf(await status());
    const under = runs.filter((run) => partOf(run, 'state')?.valueCode !== 'finished');
    if (terminal.isTTY) terminal.write(`\r\u001b[K${under.length === 0 ? '' : line(under, terminal.columns ?? 80)}`);
    if (under.length > 0) {
      await delay(LOOK_EVERY);
      continue;
    }
    const unopened = sumOf(runs.slice(-1), 'unopened');
    process.stdout.write(
      `${count(sumOf(runs.slice(-1), 'done'))} records indexed, ${count(unopened)} not to be opened\n`,
    );
    return unopened === 0 ? 0 : 1;
  }
}

function line(runs: readonly ParametersParameter[], columns: number): string {
  const [done, total] = [sumOf(runs, 'done'), sumOf(runs, 'total')];
  return barLine(total === 0 ? undefined : Math.min(1, done / total), `${count(done)} of ${count(total)}`, columns);
}

function runsOf({ parameter = [] }: Parameters): readonly ParametersParameter[] {
  return parameter.filter(({ name }) => name === 'run');
}

function partOf({ part = [] }: ParametersParameter, name: string): ParametersParameter | undefined {
  return part.find((one) => one.name === name);
}

function sumOf(runs: readonly ParametersParameter[], name: string): number {
  return runs.reduce((sum, run) => sum + (partOf(run, name)?.valueUnsignedInt ?? 0), 0);
}
