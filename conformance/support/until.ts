import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` holds. @throws after `limit` milliseconds, saying `what` did not come about */
export async function until(what: string, condition: () => boolean | Promise<boolean>, limit = 20_000): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limit} ms`);
    await delay(20);
  }
}
