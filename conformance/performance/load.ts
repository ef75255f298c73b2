import { type HttpAnswer, type HttpRequest, openConnection } from './http-connection.ts';

/** One request of a load, and what its answer must be. */
export interface LoadRequest extends HttpRequest {
  /** What it counts for: the entries of a Bundle, or 1. */
  readonly units: number;
  /** @returns what is wrong with the answer */
  readonly wrong: (answer: HttpAnswer) => string | undefined;
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds of each request, ascending. */
  readonly latencies: Float64Array;
}

/** Sends every request once, `inFlight` at a time. @throws at the first answer that is not as it must be */
export async function drive(
  origin: string,
  requests: readonly LoadRequest[],
  inFlight: number,
  token: () => Promise<string>,
): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: inFlight }, () => openConnection(origin)));
  const latencies = new Float64Array(requests.length);
  let next = 0;
  const began = performance.now();
  try {
    await Promise.all(
      connections.map(async (connection) => {
        for (let index = next++; index < requests.length; index = next++) {
          const request = requests[index] as LoadRequest;
          const bearer = await token();
          const sent = performance.now();
          const answer = await connection.send(request, bearer);
          latencies[index] = performance.now() - sent;
          const wrong = request.wrong(answer);
          if (wrong !== undefined) throw new Error(`${request.method} ${request.path}: ${wrong}`);
        }
      }),
    );
  } finally {
    for (const connection of connections) connection.close();
  }
  return { seconds: (performance.now() - began) / 1000, latencies: latencies.sort() };
}

/** An answer of another status is wrong, and says why. */
export function unlessStatus(status: number): LoadRequest['wrong'] {
  return (answer) =>
    answer.status === status ? undefined : `${answer.status} ${answer.body.toString('utf8', 0, 500)}`;
}
