/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError when `value` was not given */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new UsageError(`${name} is needed`);
  return value;
}
