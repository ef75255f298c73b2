/** Work on a list, the answers in its order; undefined when it is to be done elsewhere. */
export type Ask<Item, Answer> = (items: readonly Item[]) => Promise<readonly Answer[] | undefined>;

interface Waiting<Item, Answer> {
  readonly items: readonly Item[];
  readonly resolve: (answers: readonly Answer[] | undefined) => void;
}

/**
 * Lets small requests of the same time go together, as one of `enough` items. Nobody waits for company: what has gathered
 * in this turn of the event loop, or while the one before was under way, goes; where that is too little, it is undefined.
 *
 * @param ask never rejects
 */
export function gather<Item, Answer>(ask: Ask<Item, Answer>, enough: number, most: number): Ask<Item, Answer> {
  const waiting: Waiting<Item, Answer>[] = [];
  let running = false;

  function take(): readonly Waiting<Item, Answer>[] {
    let size = 0;
    const end = waiting.findIndex(({ items }) => {
      size += items.length;
      return size > most;
    });
    return waiting.splice(0, end < 0 ? waiting.length : Math.max(1, end));
  }

  async function send(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    const items = batch.flatMap((one) => one.items);
    const answers = items.length < enough ? undefined : await ask(items);
    let start = 0;
    for (const one of batch) {
      const end = start + one.items.length;
      one.resolve(answers?.slice(start, end));
      start = end;
    }
  }

  async function run(): Promise<void> {
    running = true;
    await new Promise(setImmediate);
    while (waiting.length > 0) await send(take());
    running = false;
  }

  return (items) =>
    new Promise((resolve) => {
      waiting.push({ items, resolve });
      if (!running) void run();
    });
}
