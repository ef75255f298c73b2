import type { Written } from '../../consent/guarded-writer.ts';
import { invariant, MedSealError } from '../../errors.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { RequestContext } from '../../request-context.ts';
import { violatesUnique } from '../../storage/database/database-error.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import type { WriteEntry } from './entry.ts';
import { patchEntries, requireValid } from './patches.ts';
import { type PlannedEntry, planWrite } from './plan.ts';
import type { IdempotentRequest } from './replay.ts';

/** What became of one entry. */
export type EntryOutcome =
  | { readonly kind: 'written'; readonly written: Written }
  | { readonly kind: 'existing'; readonly type: string; readonly id: string; readonly version: number }
  | { readonly kind: 'absent' };

export interface Outcome {
  readonly entries: readonly EntryOutcome[];
  /** A compact JWS over the leaves written, when there are any. */
  readonly receipt: string | undefined;
}

export interface Writing {
  /** Called once everything is sealed and about to be committed. */
  readonly respond: (outcome: Outcome) => InteractionResult;
  readonly idempotent: IdempotentRequest | undefined;
  /** Whether the request does nothing else: then its entries of the access trail are stored with what it wrote. */
  readonly isWhole: boolean;
}

/** How often a write is planned anew because another one was faster. */
const MAX_ATTEMPTS = 8;

/**
 * Writes entries together or not at all, and answers once that can no longer be lost: authorise, validate, plan, write;
 * a repeated Idempotency-Key gets the first answer (DESIGN §9).
 */
export async function executeWrite(
  services: Services,
  context: RequestContext,
  entries: readonly WriteEntry[],
  writing: Writing,
): Promise<InteractionResult> {
  const { idempotent } = writing;
  const institution = authorise(services, context, entries);
  services.fence.check();
  const replay = idempotent && (await services.replays.find(context, institution, idempotent));
  if (replay !== undefined) return replay;
  for (const entry of entries) requireValid(services, institution, entry);
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptWrite(services, context, institution, entries, writing);
    } catch (error) {
      // The same key at the same time: the other one's answer is ours too.
      if (idempotent !== undefined && violatesUnique(error, 'idempotency_pkey')) {
        const first = await services.replays.find(context, institution, idempotent);
        if (first !== undefined) return first;
      }
      const conflict = error instanceof MedSealError && error.code === 'version-conflict';
      if (!conflict || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

const ACTIONS = { POST: 'c', PUT: 'u', PATCH: 'u', DELETE: 'd' } as const;

function authorise({ writer }: Services, context: RequestContext, entries: readonly WriteEntry[]): Institution {
  const [institution] = entries.map((entry) => writer.authorise(context, entry.type, ACTIONS[entry.method]));
  if (institution === undefined) throw new MedSealError('invalid-bundle', 'There is nothing to write');
  return institution;
}

async function attemptWrite(
  services: Services,
  context: RequestContext,
  institution: Institution,
  entries: readonly WriteEntry[],
  { respond, idempotent, isWhole }: Writing,
): Promise<InteractionResult> {
  const plan = await planWrite(services, institution, await patchEntries(services, context, institution, entries));
  const changes = plan.entries.flatMap((entry) => (entry.kind === 'change' ? [entry.change] : []));
  if (changes.length === 0) return respond({ entries: outcomes(plan.entries, []), receipt: undefined });
  const record = idempotent && (await services.replays.recorder(context, institution, idempotent));
  const time = new Date(context.instant).toISOString();
  let answer: InteractionResult | undefined;
  await services.writer.write(context, changes, {
    guards: plan.guards,
    beforeCommit: async (written) => {
      const leaves = written.map((one) => one.leafHash);
      const receipt = await services.receipts.sign(institution.name, leaves, time);
      answer = respond({ entries: outcomes(plan.entries, written), receipt });
      return { idempotency: record?.(answer), ...(isWhole ? { status: answer.status } : {}) };
    },
  });
  invariant(answer !== undefined, 'what is written has an answer');
  return answer;
}

/** Pairs what was planned with what was written, in entry order. */
function outcomes(planned: readonly PlannedEntry[], written: readonly Written[]): readonly EntryOutcome[] {
  let next = 0;
  return planned.map((entry): EntryOutcome => {
    if (entry.kind !== 'change') return entry;
    const one = written[next] as Written;
    next += 1;
    return { kind: 'written', written: one };
  });
}
