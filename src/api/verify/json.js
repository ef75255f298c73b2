// Canonical JSON (RFC 8785), and exact shapes of parsed JSON.
import { demand } from './bytes.js';

export function canonical(value) {
  if (typeof value === 'string') {
    demand(value.isWellFormed(), 'a text has half a character');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonical(name)}:${canonical(member)}`).join(',')}}`;
}

export const text = (value) => typeof value === 'string';
export const count = (value) => Number.isSafeInteger(value) && value >= 0;
export const constant = (expected) => (value) => value === expected;
export const nullable = (inner) => (value) => value === null || inner(value);
export const listOf = (inner) => (value) => Array.isArray(value) && value.every(inner);
export const hexadecimal = (bytes) => (value) =>
  text(value) && /^(?:[0-9a-f]{2})+$/.test(value) && (bytes === undefined || value.length === 2 * bytes);

/** An object with exactly these members. */
export const record = (fields) => (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length === Object.keys(fields).length &&
  Object.entries(fields).every(([name, holds]) => Object.hasOwn(value, name) && holds(value[name]));
