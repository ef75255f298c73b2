import type { Database } from '../storage/database/port.ts';

/** Emergency accesses as rows; what they say is sealed. Times are RFC 3339. */
export interface EmergencyRow {
  readonly id: string;
  readonly institution: number;
  readonly at: string;
  readonly until: string;
  readonly token: Buffer;
  readonly sealed: string;
  readonly review: string | null;
}

export interface EmergencyRows {
  insert(row: Omit<EmergencyRow, 'review'>): Promise<void>;
  find(id: string): Promise<EmergencyRow | undefined>;
  /** Those that wait for a review, or those that had one; newest first, at most `limit`. */
  list(reviewed: boolean, limit: number): Promise<readonly EmergencyRow[]>;
  /** @returns false when it was reviewed before */
  review(id: string, sealed: string): Promise<boolean>;
}

const COLUMNS = 'id, institution, at, until, token, sealed, review';

const WAITING = `select ${COLUMNS} from emergency_access where review is null order by at desc limit $1`;
const REVIEWED = `select ${COLUMNS} from emergency_access where review is not null order by at desc limit $1`;

export function createEmergencyRows(database: Database): EmergencyRows {
  return {
    async insert({ id, institution, at, until, token, sealed }) {
      await database.query(
        'writer',
        'insert into emergency_access (id, institution, at, until, token, sealed) values ($1, $2, $3, $4, $5, $6)',
        [id, institution, at, until, token, sealed],
      );
    },
    async find(id) {
      const text = `select ${COLUMNS} from emergency_access where id = $1`;
      return (await database.query<EmergencyRow>('writer', text, [id]))[0];
    },
    list: (reviewed, limit) => database.query<EmergencyRow>('writer', reviewed ? REVIEWED : WAITING, [limit]),
    async review(id, sealed) {
      const text = `update emergency_access set review = $2, reviewed_at = now() where id = $1 and review is null returning id`;
      return (await database.query('writer', text, [id, sealed])).length > 0;
    },
  };
}
