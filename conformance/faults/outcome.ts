import type { Answer, FhirClient, Message } from '../support/fhir-client.ts';

/** A definite answer: accepted or refused. */
export interface Definite {
  readonly status: number;
  readonly answer: Answer;
  /** Whether it had to be asked for again. */
  readonly repeated: boolean;
}

const ATTEMPTS = 40;
const PAUSE_MS = 50;

/**
 * Sends a request as a careful client does: an answer of 500 and more, or none, leaves open what happened; it waits until
 * the server is said to have recovered and sends the very same request again.
 */
export async function settle(
  client: FhirClient,
  method: string,
  path: string,
  message: Message,
  recovered: () => Promise<void>,
): Promise<Definite> {
  for (let attempt = 1; ; attempt++) {
    const answer = await sendOrNothing(client, method, path, message);
    if (answer !== undefined && answer.status < 500) return { status: answer.status, answer, repeated: attempt > 1 };
    if (attempt === ATTEMPTS) throw new Error(`${method} ${path}: no definite answer: ${answer?.text}`);
    await recovered();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function sendOrNothing(
  client: FhirClient,
  method: string,
  path: string,
  message: Message,
): Promise<Answer | undefined> {
  try {
    return await client.send(method, path, message);
  } catch {
    // The connection was lost, or there was none: whether the server did anything is open.
    return undefined;
  }
}
