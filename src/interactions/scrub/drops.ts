import { hash } from 'node:crypto';
import { MedSealError } from '../../errors.ts';
import { type StoredDrop, selectDrop } from '../../storage/trail/access-drops.ts';
import { DROP } from '../../trail/access-retention.ts';
import { hashOfLeaf, LOG_NUMBER } from '../../trail/leaf.ts';
import { type Finding, finding } from './events.ts';
import type { LogCheck, NamedLog } from './logs.ts';

/**
 * Up to which leaf the entries of an access log were dropped lawfully: as an entry of the log says that stands behind
 * them. What the database notes and no such entry says, counts for nothing.
 *
 * @returns 0 where nothing was
 */
export async function* checkDropped(check: LogCheck, log: NamedLog): AsyncGenerator<Finding, bigint> {
  const dropped = await readDropped(check, log);
  if (dropped === undefined) yield finding('drop-not-noted', log.place);
  return dropped ?? 0n;
}

/** @returns undefined when the log does not say what the database notes */
export async function readDropped(check: LogCheck, log: NamedLog): Promise<bigint | undefined> {
  if (log.log !== LOG_NUMBER.access) return 0n;
  const drop = await selectDrop(check.database, log.institution);
  if (drop === undefined) return 0n;
  return (await isSaid(check, log, drop)) ? drop.size : undefined;
}

async function isSaid({ openAccess }: LogCheck, log: NamedLog, drop: StoredDrop): Promise<boolean> {
  const { entry, idToken, logged, size } = drop;
  if (entry === null || !logged) return false;
  const { at, sealed, leafHash } = entry;
  const leaf = { kind: 'access', entry: hash('sha256', sealed, 'base64url'), time: at } as const;
  if (!hashOfLeaf(leaf).equals(leafHash)) return false;
  const institution = { id: log.institution, name: log.place.institution };
  try {
    const { interaction, dropped } = await openAccess({ institution, idToken, at, sealed });
    return interaction === DROP && dropped?.leaves === Number(size);
  } catch (error) {
    if (error instanceof MedSealError && error.code === 'sealed-content-damaged') return false;
    throw error;
  }
}
