import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';

export interface Institution {
  readonly id: number;
  readonly name: string;
  /** Whether literal references must resolve on write. */
  readonly checkReferences: boolean;
  /** Its records are kept by a node of its own: here it has clients, but no base and no logs. */
  readonly guest: boolean;
}

/** The institutions of this node, in memory: few, and asked about for every reference. */
export interface InstitutionDirectory {
  find(name: string): Institution | undefined;
  byId(id: number): Institution | undefined;
  all(): readonly Institution[];
  /** Those whose records this node keeps. */
  own(): readonly Institution[];
  /** Reads them again; called when another replica, or the administrator, has changed them. */
  refresh(): Promise<void>;
}

export async function loadInstitutions(database: Database, logger: Logger): Promise<InstitutionDirectory> {
  let byName = new Map<string, Institution>();
  let byId = new Map<number, Institution>();
  const refresh = async (): Promise<void> => {
    const rows = await database.query<Institution>(
      'writer',
      'select id, name, check_references as "checkReferences", guest from institution order by name',
    );
    byName = new Map(rows.map((row) => [row.name, row]));
    byId = new Map(rows.map((row) => [row.id, row]));
  };
  await refresh();
  await database.listen('institution', () => {
    refresh().catch((error: unknown) => logger.error({ err: error }, 'the institutions could not be read again'));
  });
  return {
    find: (name) => byName.get(name),
    byId: (id) => byId.get(id),
    all: () => [...byName.values()],
    own: () => [...byName.values()].filter(({ guest }) => !guest),
    refresh,
  };
}
