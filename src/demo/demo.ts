import type { Administration } from '../api/admin-operations.ts';
import type { Connection } from '../cli/connection.ts';
import { columns } from '../cli/text.ts';
import { MedSealError } from '../errors.ts';
import { STORY_PATIENT } from './examples.ts';
import { ensureParticipants, INSTITUTIONS, PARTICIPANTS } from './participants.ts';
import { createScene, type Scene, STORY, type Step, type StepOutcome, StoryError } from './story.ts';

export interface Demonstration {
  /** Prints URLs and clients and walks through the story, each step as it really comes out. Never rejects for a step. */
  run(output: Output, signal: AbortSignal): Promise<void>;
}

type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'hasColors'>;

/** Institutions and clients, there when it resolves; their records follow over HTTP, with tokens, like anyone's. */
export async function setUpDemo(connection: Connection, administration: Administration): Promise<Demonstration> {
  await ensureParticipants(administration, connection.directory);
  return {
    async run(output, signal) {
      output.write(guide(connection.address.publicUrl));
      await tell(connection, output, signal);
    },
  };
}

function guide(url: string): string {
  const bases = INSTITUTIONS.map((id) => [id, `${url}/${id}/fhir`]);
  const clients = [
    ...PARTICIPANTS.map(({ id, scopes, purposes }) => [id, scopes.join(' '), purposes.join(' ')]),
    [`patient:${STORY_PATIENT}`, 'patient/*.rs patient/Consent.cruds', 'PATRQT'],
    ['practitioner:example', 'user/*.cruds', 'TREAT'],
  ];
  return [
    '',
    'Bases',
    ...columns([...bases, ['search over all', `${url}/fhir`], ['API', `${url}/docs`]]),
    '',
    'Clients (npx medseal token CLIENT prints an access token)',
    ...columns(clients),
    '',
    'The story',
    '',
  ].join('\n');
}

async function tell(connection: Connection, output: Output, signal: AbortSignal): Promise<void> {
  const paint = painter(output);
  const scene = createScene(connection, signal);
  for (const [index, step] of STORY.entries()) {
    const { outcome, failure } = await attempt(step, scene);
    if (signal.aborted) return;
    const mark = failure === undefined ? paint('✓', GREEN) : paint('✗', RED);
    if (failure === undefined) {
      output.write(`  ${index + 1} ${mark} ${line(step, outcome)}\n`);
      continue;
    }
    output.write(
      `  ${index + 1} ${mark} ${line(step, { ...outcome, detail: '' }).trimEnd()}\n      ${outcome.detail}\n\n`,
    );
    output.write(`${paint('The story failed', RED)} at step ${index + 1} of ${STORY.length}. The server is up.\n`);
    if (isTold(failure)) return;
    throw failure;
  }
  output.write(`\n${paint('The story came out as told.', GREEN)} Ctrl-C stops the server.\n`);
}

const TITLE_WIDTH = Math.max(...STORY.map(({ title }) => title.length));

function line({ title }: Step, { status, detail }: StepOutcome): string {
  return `${title.padEnd(TITLE_WIDTH)}  ${String(status ?? '').padEnd(3)}  ${detail}`;
}

async function attempt(
  step: Step,
  scene: Scene,
): Promise<{ readonly outcome: StepOutcome; readonly failure: unknown }> {
  try {
    return { outcome: await step.run(scene), failure: undefined };
  } catch (failure) {
    const status = failure instanceof StoryError ? failure.status : undefined;
    const detail = isTold(failure) ? failure.message : 'something went wrong that should not; the log tells more';
    return { outcome: { status, detail }, failure };
  }
}

/** One whose message is for whoever watches. */
function isTold(error: unknown): error is Error {
  return error instanceof StoryError || error instanceof MedSealError;
}

const RED = 31;
const GREEN = 32;

/** Colours only where someone looks, and wants them. */
function painter(output: Output): (text: string, colour: number) => string {
  const coloured = output.isTTY === true && output.hasColors();
  return (text, colour) => (coloured ? `\u001b[${colour}m${text}\u001b[39m` : text);
}
