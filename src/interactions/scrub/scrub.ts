import { MedSealError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { InstitutionDirectory } from '../../repository/institutions.ts';
import type { RecordOpener } from '../../repository/records.ts';
import type { Identities } from '../../sealing/identity.ts';
import type { ContentStore } from '../../storage/content/port.ts';
import type { Database } from '../../storage/database/port.ts';
import { countKeks } from '../../storage/keys/scrub.ts';
import type { AccessTrail } from '../../trail/access-trail.ts';
import type { PastLedger } from '../../trail/ledger/embedded/past.ts';
import type { Ledger } from '../../trail/ledger/port.ts';
import { checkAccess } from './access.ts';
import type { Counts, Finding, Progress, ScrubEvent } from './events.ts';
import { createUsedKeys } from './keks.ts';
import { checkKeys, checkSegments } from './keys.ts';
import { checkLedger } from './ledger.ts';
import { checkLogs } from './logs.ts';
import { checkResources } from './resources.ts';
import { checkVersions } from './versions.ts';

/**
 * `medseal scrub`: compares database, content store and ledger and tells of every disagreement (DESIGN §9). It reads in
 * pages while the server goes on; memory is bounded by a page, a batch, and four bytes a key.
 */
export interface Scrubber {
  /**
   * Progress, findings and at last a summary; a failure in its place when it could not end. One at a time.
   *
   * @throws MedSealError `rate-limited` when one is under way
   */
  run(options: ScrubWishes): AsyncGenerator<ScrubEvent>;
}

/** What a scrub changes; nothing unless it is asked to. */
export interface ScrubWishes {
  /** Keys that no record uses are taken out of use, and later destroyed. */
  readonly sweep?: boolean;
  /** What the content store lost is put there again, where the database has it. */
  readonly mend?: boolean;
}

export interface ScrubberOptions {
  readonly database: Database;
  readonly content: ContentStore;
  readonly ledger: Ledger;
  /** The ledger that this node wrote to before, where that was its own. */
  readonly past?: PastLedger | undefined;
  /** Without a cache: what is in memory proves nothing of what is stored. */
  readonly opener: RecordOpener;
  /** Also without a cache that an earlier scrub filled. */
  readonly openAccess: () => AccessTrail['open'];
  readonly institutions: InstitutionDirectory;
  readonly identities: Identities;
  /** Epoch milliseconds, of the database. */
  readonly now: () => number;
  readonly logger: Logger;
}

export function createScrubber(options: ScrubberOptions): Scrubber {
  const { logger } = options;
  let running = false;

  /** The answer has begun when something goes wrong, so that this, too, is told in it. */
  async function* guarded(wishes: ScrubWishes): AsyncGenerator<ScrubEvent> {
    if (running) return yield { event: 'failure', text: UNDER_WAY };
    // Here and not before: whoever hangs up before the first event never comes to the end below.
    running = true;
    try {
      yield* scrub(options, wishes);
    } catch (error) {
      logger.error({ err: error }, 'a scrub could not be brought to an end');
      const text = error instanceof MedSealError ? error.message : 'something went wrong; it has been logged';
      yield { event: 'failure', text };
    } finally {
      running = false;
    }
  }

  return {
    run(wishes) {
      if (running) throw new MedSealError('rate-limited', UNDER_WAY);
      return guarded(wishes);
    },
  };
}

const UNDER_WAY = 'A scrub is under way already';

async function* scrub(
  options: ScrubberOptions,
  { sweep = false, mend = false }: ScrubWishes,
): AsyncGenerator<ScrubEvent> {
  const { database, institutions, identities, now } = options;
  const began = now();
  const counts: Counts = {
    versions: 0,
    numberedLeaves: 0,
    pendingLeaves: 0,
    resources: 0,
    accessEntries: 0,
    batches: 0,
    blocks: 0,
    anchors: 0,
    keys: 0,
  };
  const used = createUsedKeys(await countKeks(database));
  const institutionName = (id: number): string => institutions.byId(id)?.name ?? String(id);
  const alwaysUsed = new Set(institutions.all().map(({ name }) => identities.institutionSubject(name)));
  const openAccess = options.openAccess();
  const common = { ...options, openAccess, counts, institutionName, used, alwaysUsed, began, sweep, mend };
  let findings = 0;
  for (const check of [
    checkVersions({ ...common, onKeyUsed: used.add }),
    checkResources(common),
    checkAccess(common),
    checkLogs(common),
    checkLedger({ ...common, institutions: institutions.own }),
    checkSegments(common),
    // The last, when every key that is used is known.
    checkKeys(common),
  ] as const satisfies readonly AsyncGenerator<Finding | Progress>[]) {
    for await (const event of check) {
      if (event.event === 'finding' && event.severity === 'error') findings += 1;
      yield event;
    }
  }
  yield { event: 'summary', findings, counts, seconds: (now() - began) / 1000 };
}
