import type { MedSealError } from '../../../errors.ts';
import { worstOf } from './failures.ts';

/**
 * Resolves as soon as `needed` of the tasks have; the others go on.
 *
 * @throws MedSealError what weighs most of the failures, once there are too many
 */
export function enough(tasks: readonly Promise<void>[], needed: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const errors: MedSealError[] = [];
    let done = 0;
    for (const task of tasks) {
      task.then(
        () => {
          done += 1;
          if (done === needed) resolve();
        },
        (error: MedSealError) => {
          errors.push(error);
          if (errors.length === tasks.length - needed + 1) reject(worstOf(errors));
        },
      );
    }
  });
}
