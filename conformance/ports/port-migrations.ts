import { fileURLToPath } from 'node:url';

/** The small schema that the database contract works on. */
export const PORT_MIGRATIONS = {
  records: fileURLToPath(new URL('./migrations/records/', import.meta.url)),
  keys: fileURLToPath(new URL('./migrations/keys/', import.meta.url)),
};
