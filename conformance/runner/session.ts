import { startTestServer } from '../support/test-server.ts';
import { createRunDirectory } from './run-directory.ts';

/** What the test files of one run share: a temporary directory, and one PostgreSQL. */
export interface Session {
  /** For the test files. */
  readonly environment: NodeJS.ProcessEnv;
  /** Set once Ctrl-C or SIGTERM has come; the process ends by itself then. */
  readonly interrupted: () => boolean;
  /** Ends what is left. Answers with the commands of the processes that had to be ended by force. */
  end(): Promise<readonly string[]>;
}

/** How long the last processes of the tests may take to end by themselves, milliseconds. */
const GRACE = 2500;

export async function startSession(): Promise<Session> {
  const directory = await createRunDirectory();
  process.env.TMPDIR = directory.path;
  const starting = startTestServer();
  const end = async (grace: number): Promise<readonly string[]> => {
    const server = await starting;
    await server.stop();
    const left = await directory.endProcesses(grace);
    await directory.remove();
    return left.map(({ command }) => command);
  };
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      interrupted = true;
      await end(0);
      process.stdout.write('Interrupted; nothing is left running.\n');
      process.exit(130);
    });
  }
  const { url } = await starting;
  return {
    environment: { ...process.env, MEDSEAL_TEST_POSTGRES: url },
    interrupted: () => interrupted,
    end: () => end(GRACE),
  };
}
