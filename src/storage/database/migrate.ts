import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { MedSealError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { DatabaseError } from './database-error.ts';

/** `0007_name.sql`. Applied once, in this order, each in a transaction of its own; never changed afterwards. */
export interface Migration {
  readonly number: number;
  readonly file: string;
  readonly sha256: string;
  readonly sql: string;
}

/** The numbered SQL files of a directory, in order. @throws `invalid-configuration` for any other file, or a number used twice */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
  const migrations = await Promise.all(
    files.map(async (file) => {
      const number = Number(/^(\d{4})_[a-z0-9_-]+\.sql$/.exec(file)?.[1]);
      if (!(number > 0)) throw refuse(`The migration ${file} is not named NNNN_name.sql.`);
      const sql = await readFile(join(directory, file), 'utf8');
      return { number, file, sha256: hash('sha256', sql), sql };
    }),
  );
  const twice = migrations.find(({ number }, index) => migrations[index - 1]?.number === number);
  if (twice !== undefined) throw refuse(`Two migrations have the number ${twice.number}.`);
  return migrations;
}

/**
 * Brings the database that `owner` is connected to up to `migrations`. The caller holds a lock, so that two servers that
 * start at once do not do it both.
 *
 * @throws MedSealError `invalid-configuration` when an applied migration was changed or is missing, or when the
 *   database was migrated by a newer version; `internal` when a migration fails. Nothing of that migration remains.
 */
export async function migrate(owner: Client, migrations: readonly Migration[], logger: Logger): Promise<void> {
  await owner.query(
    `create table if not exists schema_migration (
       number integer primary key,
       file text not null,
       sha256 text not null,
       applied_at timestamptz(3) not null default now()
     )`,
  );
  const { rows: applied } = await owner.query<Applied>(
    'select number, file, sha256 from schema_migration order by number',
  );
  checkApplied(applied, migrations);
  const done = new Set(applied.map(({ number }) => number));
  for (const migration of migrations) {
    if (done.has(migration.number)) continue;
    await apply(owner, migration);
    logger.info({ migration: migration.file }, 'database migrated');
  }
}

type Applied = Pick<Migration, 'number' | 'file' | 'sha256'>;

function checkApplied(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.number ?? 0;
  const known = new Map(migrations.map((migration) => [migration.number, migration]));
  for (const { number, file, sha256 } of applied) {
    if (number > newest) {
      throw refuse(`The database was migrated by a newer version of MedSeal: it has ${file}, this version does not.`);
    }
    const migration = known.get(number);
    if (migration === undefined)
      throw refuse(`The migration ${file} was applied to the database, but its file is gone.`);
    if (migration.sha256 !== sha256) {
      throw refuse(`The migration ${migration.file} was changed after it had been applied to the database.`);
    }
  }
  const last = applied.at(-1)?.number ?? 0;
  const late = migrations.find(({ number }) => number < last && !applied.some((entry) => entry.number === number));
  if (late !== undefined) throw refuse(`The migration ${late.file} comes before ones that were applied already.`);
}

async function apply(owner: Client, migration: Migration): Promise<void> {
  try {
    await owner.query('begin');
    await owner.query(migration.sql);
    await owner.query('insert into schema_migration (number, file, sha256) values ($1, $2, $3)', [
      migration.number,
      migration.file,
      migration.sha256,
    ]);
    await owner.query('commit');
  } catch (cause) {
    await owner.query('rollback').catch(() => undefined);
    const error = new DatabaseError(cause, false);
    throw new MedSealError(error.code, `The migration ${migration.file} failed.`, { cause: error });
  }
}

function refuse(message: string): MedSealError {
  return new MedSealError('invalid-configuration', message);
}
