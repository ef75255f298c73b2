import { failureOf } from './failure.ts';
import type { Queries } from './queries.ts';

/** Whether one of the node's peers answers, and how many blocks it has. */
export interface FabricStatus {
  readonly reachable: boolean;
  readonly blocks?: number;
}

/** How long an answer counts, and how long one is waited for, milliseconds: whoever asks `/ready` has little time. */
const FRESH = 2000;
const PATIENCE = 1500;

/** Never throws; those who ask at the same time share one question. */
export function createStatus(queries: Pick<Queries, 'height'>, now = () => performance.now()) {
  let asked: { readonly at: number; readonly answer: Promise<FabricStatus> } | undefined;

  async function ask(): Promise<FabricStatus> {
    try {
      return { reachable: true, blocks: Number(await queries.height(PATIENCE)) };
    } catch (error) {
      // One that answers no does answer.
      return { reachable: failureOf(error).kind === 'refused' };
    }
  }

  return (): Promise<FabricStatus> => {
    if (asked === undefined || now() - asked.at > FRESH) asked = { at: now(), answer: ask() };
    return asked.answer;
  };
}
