import { setImmediate } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import type { Describer } from '../../consent/describe.ts';
import { invariant, MedSealError } from '../../errors.ts';
import { parseJson } from '../../fhir/json/parse.ts';
import type { Logger } from '../../logger.ts';
import { selectRevision } from '../../repository/custom-parameter-rows.ts';
import type { CustomParameters } from '../../repository/custom-parameters.ts';
import type { Institution, InstitutionDirectory } from '../../repository/institutions.ts';
import type { PermittedRow } from '../../repository/permitted.ts';
import type { RecordOpener } from '../../repository/records.ts';
import {
  advanceRun,
  finishRun,
  type IndexedRow,
  isSettled,
  type ReindexRun,
  type RunPosition,
  replaceTokens,
  selectBehind,
  selectPage,
  settleBehind,
  startRun,
  takeRun,
} from '../../repository/reindex-runs.ts';
import type { Database, Sql } from '../../storage/database/port.ts';

/**
 * Indexes records anew by the custom search parameters of their institution: in runs over all records of some types, and
 * what was written by a server that did not know of a parameter yet. A page is a transaction, which holds its run, so
 * that any server may do the next one, one does at a time, and whoever is killed has lost a page.
 */
export interface Reindexer {
  /** @returns `page` when there may be more to do at once, `waiting` when it is somebody else's turn, else `idle` */
  step(): Promise<'page' | 'waiting' | 'idle'>;
}

export interface ReindexerOptions {
  readonly database: Database;
  readonly custom: CustomParameters;
  readonly institutions: InstitutionDirectory;
  /** Without a cache: every record is opened once. */
  readonly opener: RecordOpener;
  readonly describer: Pick<Describer, 'index'>;
  readonly logger: Logger;
  /** Records that were looked at. */
  readonly onIndexed?: (records: number) => void;
}

const PAGE = 100;

interface Page {
  readonly rows: readonly PermittedRow[];
  readonly next: RunPosition;
}

export function createReindexer(options: ReindexerOptions): Reindexer {
  const { database, custom, institutions, opener, describer, logger } = options;

  /** By the newest set: a run was queued by one that this server may not have heard of. */
  async function currentRevision(sql: Sql, institution: Institution): Promise<number> {
    const revision = await selectRevision(sql, institution.id);
    if (custom.of(institution.name).revision !== revision) await custom.refresh(institution);
    return custom.of(institution.name).revision;
  }

  async function indexOne(row: PermittedRow, institution: string): Promise<IndexedRow | undefined> {
    await setImmediate();
    try {
      const { content } = await opener.open(row);
      if (content === undefined) return undefined;
      const resource = parseJson(content) as object as Resource;
      const { idToken, version } = row;
      return { idToken, version, ...describer.index(resource, institution) };
    } catch (error) {
      if (!(error instanceof MedSealError) || error.code !== 'sealed-content-damaged') throw error;
      logger.warn({ err: error, versionRow: row.versionId.toString() }, 'a record could not be opened for indexing');
      return undefined;
    }
  }

  /** @returns how many could not be opened, and how many somebody else has in hand */
  async function indexAll(sql: Sql, institution: Institution, rows: readonly PermittedRow[]) {
    const revision = await currentRevision(sql, institution);
    const indexed: IndexedRow[] = [];
    const unopened: PermittedRow[] = [];
    for (const row of rows) {
      const one = await indexOne(row, institution.name);
      if (one === undefined) unopened.push(row);
      else indexed.push(one);
    }
    const left = await replaceTokens(sql, institution.id, revision, indexed);
    if (unopened.length > 0) await settleBehind(sql, unopened);
    options.onIndexed?.(rows.length);
    return { unopened: unopened.length, left: left.length };
  }

  /** @returns whether there was anything, and whether all of it is done */
  async function catchUp(sql: Sql, institution: Institution): Promise<'page' | 'waiting' | 'idle'> {
    const rows = await selectBehind(sql, institution.id, PAGE);
    if (rows.length === 0) return 'idle';
    return (await indexAll(sql, institution, rows)).left === 0 ? 'page' : 'waiting';
  }

  async function advance(sql: Sql, run: ReindexRun & { readonly position: RunPosition }) {
    const institution = institutions.byId(run.institution);
    invariant(institution !== undefined, 'a run is over the records of an institution');
    if (run.startedAt === null) {
      await startRun(sql, run);
      return 'page';
    }
    if (!(await isSettled(sql, run))) return 'waiting';
    const page = await nextPage(sql, run);
    if (page === undefined) {
      const rest = await catchUp(sql, institution);
      if (rest === 'idle') await finishRun(sql, run);
      return rest === 'idle' ? 'page' : rest;
    }
    const { unopened, left } = await indexAll(sql, institution, page.rows);
    // What is in somebody's hand is looked at again, with all that stands beside it.
    if (left > 0) return 'waiting';
    await advanceRun(sql, run, page.next, page.rows.length, unopened);
    return 'page';
  }

  return {
    async step() {
      const done = await database.transaction('writer', async (sql) => {
        const run = await takeRun(sql);
        return run === undefined ? undefined : advance(sql, run);
      });
      if (done !== undefined) return done;
      for (const institution of institutions.own()) {
        if (custom.of(institution.name).revision === 0) continue;
        const caught = await database.transaction('writer', (sql) => catchUp(sql, institution));
        if (caught !== 'idle') return caught;
      }
      return 'idle';
    },
  };
}

async function nextPage(
  sql: Sql,
  { institution, types, position }: ReindexRun & { readonly position: RunPosition },
): Promise<Page | undefined> {
  for (const type of [...types].sort()) {
    if (type < position.type) continue;
    const from = type === position.type ? position : { type, time: '-infinity', version: 0n };
    const rows = await selectPage(sql, institution, from, PAGE);
    const last = rows.at(-1);
    if (last !== undefined) return { rows, next: { type, time: last.at, version: last.versionId } };
  }
  return undefined;
}
