import { pino } from 'pino';
import type { LogLevel } from './config.ts';
import type { Logger } from './logger.ts';

/**
 * JSON lines on standard error; standard output is for what a person or a script waits for. Of an error only what is
 * known to hold no record value is written: code, message of our own errors, stack, and the same of its causes.
 */
export function createPinoLogger(level: LogLevel): Logger {
  const logger = pino(
    {
      level,
      base: null,
      serializers: { err: (error: unknown) => describeError(error, 0) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

const MAX_CAUSES = 5;

function describeError(error: unknown, depth: number): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: framesOf(error.stack) }),
    ...(error.cause === undefined || depth === MAX_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

/** Without its first line, which repeats the message. */
function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 12)
    .join('\n');
}
