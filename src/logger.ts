/**
 * What MedSeal logs through. It is the part of pino's interface that we use, so that Fastify's logger fits and a test
 * can pass an object of its own. Fields are allow-listed by their callers: never a value out of a record.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Drops everything; for tests and short-lived commands. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
