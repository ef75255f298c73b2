import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** The objects of an answer that is written as JSON lines, as they come. */
export async function* jsonLines<T>({ body }: Response): AsyncGenerator<T> {
  if (body === null) return;
  // The types of fetch and of node:stream describe the same class.
  const lines = createInterface({ input: Readable.fromWeb(body as ReadableStream) });
  for await (const line of lines) yield JSON.parse(line) as T;
}
