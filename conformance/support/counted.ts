import type { Database } from '../../src/storage/database/port.ts';

/** A database that counts the single statements that it is asked. */
export function counted(database: Database): { readonly database: Database; readonly statements: () => number } {
  let statements = 0;
  return {
    database: {
      ...database,
      query(...query) {
        statements += 1;
        return database.query(...query);
      },
    },
    statements: () => statements,
  };
}
