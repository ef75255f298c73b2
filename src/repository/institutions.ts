import type { Logger } from '../logger.ts';
import type { Database } from '../storage/database/port.ts';

export interface Institution extends InstitutionModes {
  readonly id: number;
  readonly name: string;
  /** Its records are kept by a node of its own: here it has clients, but no base and no logs. */
  readonly guest: boolean;
}

/** How what is written at an institution is checked. */
export interface InstitutionModes {
  /** Whether literal references must resolve. */
  readonly checkReferences: boolean;
  /** `base`: R4's structure; `strict`: its invariants and the profiles that a resource claims too. */
  readonly validation: 'base' | 'strict';
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
  /** Every replica hears of it. @returns whether this node keeps the records of such an institution */
  setModes(name: string, modes: Partial<InstitutionModes>): Promise<boolean>;
}

export async function loadInstitutions(database: Database, logger: Logger): Promise<InstitutionDirectory> {
  let byName = new Map<string, Institution>();
  let byId = new Map<number, Institution>();
  const refresh = async (): Promise<void> => {
    const rows = await database.query<Institution>(
      'writer',
      'select id, name, check_references as "checkReferences", validation, guest from institution order by name',
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
    async setModes(name, { checkReferences, validation }) {
      const changed = await database.query<{ id: number }>(
        'writer',
        `update institution
         set check_references = coalesce($2, check_references), validation = coalesce($3, validation)
         where name = $1 and not guest returning id`,
        [name, checkReferences ?? null, validation ?? null],
      );
      await refresh();
      return changed.length > 0;
    },
  };
}
