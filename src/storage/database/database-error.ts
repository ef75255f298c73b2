import { DatabaseError as ServerError } from 'pg';
import { type ErrorCode, MedSealError } from '../../errors.ts';

/** What PostgreSQL or the connection to it said, as one of our codes. https://www.postgresql.org/docs/18/errcodes-appendix.html */
export class DatabaseError extends MedSealError {
  /** PostgreSQL's five characters; undefined when the connection failed before the server could answer. */
  readonly sqlState: string | undefined;
  /** Name of the violated constraint or unique index, for class 23. */
  readonly constraint: string | undefined;
  /** The same transaction may succeed when it is simply run again (serialization failure, deadlock). */
  readonly retriable: boolean;
  /** The connection was lost after COMMIT, or a single statement, was sent: it may or may not have taken effect. */
  readonly outcomeUnknown: boolean;

  constructor(cause: unknown, outcomeUnknown: boolean) {
    const sqlState = cause instanceof ServerError ? cause.code : undefined;
    const code = codeOf(cause, sqlState);
    super(code, MESSAGES[code] ?? MESSAGES.internal, { cause: withoutValues(cause) });
    this.sqlState = sqlState;
    this.constraint = cause instanceof ServerError ? cause.constraint : undefined;
    this.retriable = code === 'version-conflict';
    this.outcomeUnknown = outcomeUnknown && code === 'storage-unavailable';
  }
}

/** Whether `error` says that a row with the same key exists, in the unique constraint or index of this name. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  return error instanceof DatabaseError && error.sqlState === '23505' && error.constraint === constraint;
}

/** These reach clients, so they say nothing of statements or values. */
const MESSAGES = {
  'storage-unavailable': 'The database cannot be reached at the moment.',
  'storage-full': 'The database has no space left.',
  'timed-out': 'The database did not answer in time.',
  'version-conflict': 'Another request changed the same data at the same time.',
  internal: 'The database refused a statement.',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** By the whole code, else by its class (the first two characters). */
const CODES: Readonly<Record<string, keyof typeof MESSAGES>> = {
  '08': 'storage-unavailable', // connection exception
  '53': 'storage-unavailable', // insufficient resources: memory, connections
  '53100': 'storage-full',
  '57P': 'storage-unavailable', // shutdown, crash, starting up
  '57014': 'timed-out', // statement_timeout
  '55P03': 'timed-out', // lock_timeout
  '58030': 'storage-unavailable', // input/output error
  '40001': 'version-conflict',
  '40P01': 'version-conflict',
};

function codeOf(cause: unknown, sqlState: string | undefined): keyof typeof MESSAGES {
  if (sqlState !== undefined) {
    return CODES[sqlState] ?? CODES[sqlState.slice(0, 3)] ?? CODES[sqlState.slice(0, 2)] ?? 'internal';
  }
  // What the driver itself refuses (a value that it cannot convert) is a TypeError or a plain defect of ours; the rest
  // of its errors, which have no class or code of their own, are about the connection.
  return cause instanceof TypeError || cause instanceof RangeError || cause instanceof SyntaxError
    ? 'internal'
    : 'storage-unavailable';
}

/**
 * PostgreSQL puts values into `detail` (the failing row, the key that exists) and, for data exceptions (class 22), into
 * the message itself. The cause goes to the log, where no value out of a record may appear.
 */
function withoutValues(cause: unknown): unknown {
  if (!(cause instanceof ServerError)) return cause;
  cause.detail = undefined;
  cause.hint = undefined;
  cause.where = undefined;
  cause.internalQuery = undefined;
  if (cause.code?.startsWith('22')) cause.message = `data exception in ${cause.routine ?? 'a statement'}`;
  return cause;
}
