import { MedSealError } from '../../errors.ts';
import { canonicalJson } from '../../fhir/json/canonical.ts';
import type { ArchiveSeal } from '../../sealing/archive.ts';
import type { Load } from '../../storage/backup/load.ts';
import type { Migration } from '../../storage/database/migrate.ts';
import {
  ARCHIVE_FORMAT,
  type ArchiveEnd,
  type ArchiveHeader,
  type ArchiveLine,
  type ArchivePiece,
  endPlace,
  type Part,
  placeOf,
} from './archive.ts';

/**
 * The header of an archive, checked.
 *
 * @throws MedSealError `sealed-content-damaged` when it is no archive of this part
 */
export function readHeader(line: unknown, part: Part): ArchiveHeader {
  const header = (line ?? {}) as Partial<ArchiveHeader>;
  const { format, archive, at, migrations } = header;
  if (format === ARCHIVE_FORMAT && header.part === part && archive !== undefined && at !== undefined && migrations) {
    return { format, part, archive, at, migrations };
  }
  throw damaged(`This is not the ${part} of a backup.`);
}

/**
 * How far this version's migrations must go for a database as the archive's was. A later start brings it up to date.
 *
 * @returns the number of the last one
 * @throws MedSealError `invalid-configuration` when the backup is of a newer version, or of another one altogether
 */
export function lastMigration(header: ArchiveHeader, known: readonly Migration[]): number {
  const [first, ...others] = header.migrations.map(({ file, sha256 }) => {
    const migration = known.find((one) => one.file === file && one.sha256 === sha256);
    if (migration !== undefined) return migration.number;
    throw new MedSealError(
      'invalid-configuration',
      `The backup was made by another version of MedSeal, whose ${file} this one does not have.`,
    );
  });
  return Math.max(first ?? 0, ...others);
}

/**
 * Loads the pieces of an archive, in order, to its very end.
 *
 * @param header as {@link readHeader} gave it
 * @param lines of the archive after its header
 * @param onRows how many more rows are there
 * @throws MedSealError `sealed-content-damaged` when a piece is missing, moved, changed or sealed by somebody else
 */
export async function loadPieces(
  header: ArchiveHeader,
  lines: AsyncIterable<unknown>,
  seal: ArchiveSeal,
  load: Load,
  onRows: (rows: number) => void,
): Promise<void> {
  const { part } = header;
  let number = 0;
  let ended = false;
  for await (const line of lines) {
    if (ended) throw damaged('The backup goes on after its end.');
    if (isEnd(line)) {
      ended = seal.open(endPlace(part, number), line.end) === canonicalJson(header);
      if (!ended) throw damaged('The first line of the backup is another than it was made with.');
      continue;
    }
    const { table, rows, sealed } = pieceOf(line);
    await load.insert({ table, rows, text: seal.open(placeOf(part, number, { table, rows }), sealed) });
    number += 1;
    onRows(rows);
  }
  if (!ended) throw damaged('The backup is cut short.');
}

function isEnd(line: unknown): line is ArchiveEnd {
  return typeof (line as ArchiveEnd | null)?.end === 'string';
}

function pieceOf(line: unknown): ArchivePiece {
  const { table, rows, sealed } = (line ?? {}) as Partial<ArchivePiece & ArchiveLine>;
  if (typeof table === 'string' && typeof rows === 'number' && typeof sealed === 'string')
    return { table, rows, sealed };
  throw damaged('A line of the backup cannot be read.');
}

function damaged(message: string): MedSealError {
  return new MedSealError('sealed-content-damaged', message);
}
