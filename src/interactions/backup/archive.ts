/**
 * A backup is two archives that can be kept apart, in two places: `records` (sealed versions, logs, accounts, clients)
 * and `keys` (the key service). Each is a text file: a header line, a line for each piece, an end line. Pieces are sealed,
 * the records' under a secret of the key service, the keys' under the master key, which is in neither: whoever holds one
 * of the three can read nothing.
 */
export type Part = 'records' | 'keys';

export const PARTS: readonly Part[] = ['records', 'keys'];

export const ARCHIVE_FORMAT = 'medseal/backup/1';

export interface ArchiveHeader {
  readonly format: string;
  readonly part: Part;
  /** Of this one archive; what it holds is sealed for it. */
  readonly archive: string;
  /** Instant at which it was begun. */
  readonly at: string;
  /** The migrations that its database had. */
  readonly migrations: readonly { readonly file: string; readonly sha256: string }[];
}

export interface ArchivePiece {
  readonly table: string;
  readonly rows: number;
  readonly sealed: string;
}

/** The last line: the header again, sealed. Without it the archive was cut short. */
export interface ArchiveEnd {
  readonly end: string;
}

/** Told instead of the end when something went wrong on the way. */
export interface ArchiveFailure {
  readonly failure: string;
}

export type ArchiveLine = ArchiveHeader | ArchivePiece | ArchiveEnd | ArchiveFailure;

/** Where a piece belongs: what it is sealed for. */
export function placeOf(part: Part, number: number, { table, rows }: Omit<ArchivePiece, 'sealed'>): string {
  return `${part} ${number} ${table} ${rows}`;
}

export function endPlace(part: Part, number: number): string {
  return `${part} ${number} end`;
}
