import type { Logger } from '../logger.ts';
import type { Token } from '../sealing/blind-index/tokenizer.ts';
import type { Database } from '../storage/database/port.ts';
import type { Criterion } from './criteria.ts';

/**
 * Which tokens of the blind index many rows have, by PostgreSQL's own statistics. Planning a search through the views
 * takes longer than answering a selective one, so those are answered by a plan that is made once; a search for what
 * nearly every row has needs its own plan, or it would sort the table for one page.
 */
export interface CommonTokens {
  /** How to ask for what `criterion` asks for. */
  approach(criterion: Criterion): Approach;
}

export interface Approach {
  /** Whether the index alone narrows it down to few rows. */
  readonly selective: boolean;
  /** The same question; where it is selective, only rare tokens are asked of the index, else nothing that is implied. */
  readonly criterion: Criterion;
}

/** Milliseconds after which the statistics are read again; autovacuum gathers them no more often. */
const KEPT = 60_000;
/** Part of all rows above which a token counts as common. */
const COMMON = 0.002;

export function createCommonTokens(database: Database, logger: Logger, now: () => number): CommonTokens {
  let common: ReadonlySet<Token> = new Set();
  let readAt = 0;

  function refresh(): void {
    readAt = now();
    readCommonTokens(database).then(
      (tokens) => {
        common = tokens;
      },
      (error: unknown) => logger.warn({ err: error }, 'the statistics of the index could not be read'),
    );
  }

  // At once: the first search for what is common would take the wrong plan, and run into its time-out.
  refresh();
  return {
    approach(criterion) {
      if (now() - readAt > KEPT) refresh();
      return isSelective(criterion, common)
        ? { selective: true, criterion: withoutCommon(criterion, common) }
        : { selective: false, criterion: withoutImplied(criterion) };
    },
  };
}

async function readCommonTokens(database: Database): Promise<ReadonlySet<Token>> {
  const rows = await database.query<{ token: string }>(
    'writer',
    `select element::text as token
     from pg_stats, unnest(most_common_elems::text::bigint[], most_common_elem_freqs) as t (element, frequency)
     where schemaname = 'public' and tablename = 'resource_current' and attname = 'tokens' and frequency > $1`,
    [COMMON],
  );
  return new Set(rows.map(({ token }) => token));
}

/** Whether some part of `criterion` that must hold is a question for rare tokens or ids. */
export function isSelective(criterion: Criterion, common: ReadonlySet<Token>): boolean {
  switch (criterion.kind) {
    case 'all':
      return criterion.of.some((one) => isSelective(one, common));
    case 'any':
      return criterion.of.every((one) => isSelective(one, common));
    case 'every':
      return criterion.tokens.some((token) => !common.has(token));
    case 'some':
      return criterion.tokens.every((token) => !common.has(token));
    case 'refers-to':
      return isSelective(criterion.target, common);
    case 'referred-by':
      return isSelective(criterion.source, common);
    case 'ids':
      return true;
    case 'not':
    case 'traits':
    case 'some-traits':
    case 'changed':
      return false;
  }
}

/** The same question, in which the index is asked for what is rare and the rows that it finds for the rest. */
export function withoutCommon(criterion: Criterion, common: ReadonlySet<Token>): Criterion {
  switch (criterion.kind) {
    case 'all':
      return {
        kind: 'all',
        of: criterion.of.map((one) => (isSelective(one, common) ? withoutCommon(one, common) : ofRows(one))),
      };
    case 'every': {
      const rare = criterion.tokens.filter((token) => !common.has(token));
      const rest = criterion.tokens.filter((token) => common.has(token));
      if (rare.length === 0 || rest.length === 0) return criterion;
      return {
        kind: 'all',
        of: [
          { kind: 'every', tokens: rare },
          { kind: 'every', tokens: rest, asked: 'row' },
        ],
      };
    }
    case 'any':
      return { kind: 'any', of: criterion.of.map((one) => withoutCommon(one, common)) };
    case 'refers-to':
      return isSelective(criterion.target, common)
        ? { ...criterion, target: withoutCommon(criterion.target, common), few: true }
        : criterion;
    case 'referred-by':
      return isSelective(criterion.source, common)
        ? { ...criterion, source: withoutCommon(criterion.source, common), few: true }
        : criterion;
    default:
      return criterion;
  }
}

/** PostgreSQL takes two conditions that say the same for independent, and expects a hundredth of the rows there are. */
function withoutImplied(criterion: Criterion): Criterion {
  if (criterion.kind !== 'all') return criterion;
  return { kind: 'all', of: criterion.of.filter((one) => one.kind !== 'every' || one.implied !== true) };
}

function ofRows(criterion: Criterion): Criterion {
  switch (criterion.kind) {
    case 'all':
    case 'any':
      return { kind: criterion.kind, of: criterion.of.map(ofRows) };
    case 'not':
      return { kind: 'not', of: ofRows(criterion.of) };
    case 'every':
    case 'some':
      return { ...criterion, asked: 'row' };
    default:
      return criterion;
  }
}
