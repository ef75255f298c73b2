/** Small checks of parsed JSON: exact fields, no conversion. */
export type Guard = (value: unknown) => boolean;

export const text: Guard = (value) => typeof value === 'string';
export const count: Guard = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/** Lower-case hexadecimal of so many bytes; of any number when absent. */
export function hexadecimal(bytes?: number): Guard {
  const expression = bytes === undefined ? /^(?:[0-9a-f]{2})+$/ : new RegExp(`^[0-9a-f]{${2 * bytes}}$`);
  return (value) => typeof value === 'string' && expression.test(value);
}

export function constant(expected: string): Guard {
  return (value) => value === expected;
}

export function nullable(inner: Guard): Guard {
  return (value) => value === null || inner(value);
}

export function listOf(inner: Guard): Guard {
  return (value) => Array.isArray(value) && value.every(inner);
}

/** An object with exactly these fields. */
export function record(fields: Readonly<Record<string, Guard>>): Guard {
  const names = Object.keys(fields);
  return (value) =>
    isObject(value) &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name) && fields[name]?.(value[name]) === true);
}

/** An object whose every member is of this kind. */
export function mapOf(inner: Guard): Guard {
  return (value) => isObject(value) && Object.values(value).every(inner);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
