import { MedSealError } from '../../errors.ts';
import type { Answer } from './outcome.ts';
import type { ImportRequest } from './request.ts';
import type { TokenSource } from './tokens.ts';

/** Posts requests and waits out what passes: a server that restarts, is full, or is slowed down by us. */
export interface Sender {
  /**
   * The server's final answer. The same key is sent at every attempt, so that none has a second effect.
   *
   * @throws MedSealError `storage-unavailable` when it could not be had for long, `token-invalid`; the signal's reason
   */
  send(request: ImportRequest, key: string): Promise<Answer>;
}

export interface SenderOptions {
  /** Without a trailing slash. */
  readonly base: string;
  readonly tokens: TokenSource;
  /** Ends requests and waits at once. */
  readonly signal: AbortSignal;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** Told when a request is put off, and why. */
  readonly onWait: (reason: string) => void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;
/** How long one request is tried. */
const PATIENCE = 5 * 60_000;
/** For one answer; the largest transactions take seconds. */
const ANSWER_LIMIT = 5 * 60_000;
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
const UNAUTHORIZED = 401;
const MAX_REFUSALS = 2;

export function createSender(options: SenderOptions): Sender {
  const { tokens, signal, now, wait, onWait } = options;
  return {
    async send(request, key) {
      const since = now();
      let refusals = 0;
      for (let attempt = 0; ; attempt++) {
        const tried = await attemptOnce(options, request, key);
        if (tried.kind === 'answer') return tried.answer;
        if (tried.kind === 'refused') {
          refusals += 1;
          if (refusals > MAX_REFUSALS) throw new MedSealError('token-invalid', 'The server does not accept the token');
          await tokens.refused(tried.token);
          continue;
        }
        const pause = Math.max(tried.after, backoff(attempt));
        if (now() - since + pause > PATIENCE) {
          throw new MedSealError('storage-unavailable', `The server could not take it for long: ${tried.reason}`);
        }
        onWait(tried.reason);
        await wait(pause, signal);
      }
    },
  };
}

/** Doubles, and varies, so that those who wait together do not come back together. */
function backoff(attempt: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt) * (0.5 + Math.random() / 2);
}

type Attempt =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly token: string }
  /** To be tried again after so many milliseconds at least. */
  | { readonly kind: 'later'; readonly reason: string; readonly after: number };

async function attemptOnce(options: SenderOptions, request: ImportRequest, key: string): Promise<Attempt> {
  const { base, tokens, signal } = options;
  try {
    const token = await tokens.current();
    const response = await fetch(request.path === '' ? base : `${base}/${request.path}`, {
      method: request.method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/fhir+json',
        accept: 'application/fhir+json',
        prefer: 'return=minimal',
        'idempotency-key': key,
      },
      // Bytes of a file are never shared memory, which is what the type leaves open.
      body: request.body as NonNullable<RequestInit['body']>,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT)]),
    });
    const body = await response.text();
    const { status } = response;
    if (status === UNAUTHORIZED) return { kind: 'refused', token };
    if (PASSING.has(status)) {
      return { kind: 'later', reason: `status ${status}`, after: retryAfter(response.headers.get('retry-after')) };
    }
    return { kind: 'answer', answer: { status, modified: response.headers.has('last-modified'), body } };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MedSealError) {
      if (error.code !== 'storage-unavailable') throw error;
      return { kind: 'later', reason: 'the server does not answer', after: 0 };
    }
    // What fetch throws for a connection that cannot be made, or was lost, and for an answer that took too long.
    if (!(error instanceof TypeError) && (error as Error).name !== 'TimeoutError') throw error;
    return { kind: 'later', reason: 'the server does not answer', after: 0 };
  }
}

/** RFC 9110 §10.2.3: seconds, or a date. */
export function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const milliseconds = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(milliseconds) ? 0 : Math.min(Math.max(0, milliseconds), LONGEST_WAIT * 2);
}
