/**
 * What `produce` writes, as an iterable: each write waits until it was taken, so that no more than one item is in memory.
 * When the reader stops, the write that waits fails, and with it `produce`.
 */
export async function* channel<T>(produce: (write: (item: T) => Promise<void>) => Promise<void>): AsyncGenerator<T> {
  let offered = Promise.withResolvers<{ readonly item: T } | undefined>();
  let taken = Promise.withResolvers<void>();
  taken.promise.catch(() => undefined); // told to whoever writes
  const produced = produce(async (item) => {
    offered.resolve({ item });
    await taken.promise;
  });
  produced.then(
    () => offered.resolve(undefined),
    (error: unknown) => offered.reject(error),
  );
  let isOver = false;
  try {
    for (;;) {
      const next = await offered.promise;
      if (next === undefined) break;
      yield next.item;
      const read = taken;
      offered = Promise.withResolvers();
      taken = Promise.withResolvers();
      taken.promise.catch(() => undefined);
      read.resolve();
    }
    isOver = true;
  } finally {
    if (!isOver) taken.reject(new Error('The reader has gone'));
    await produced.catch(() => undefined); // thrown above, or nobody reads any more
  }
}
