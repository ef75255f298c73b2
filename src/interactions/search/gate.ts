/** Lets so many through at once; the others wait, in the order in which they came. */
export interface Gate {
  /**
   * @param milliseconds how long to wait at most
   * @returns what to call when done; undefined when the wait was over first
   */
  enter(milliseconds: number): Promise<(() => void) | undefined>;
  readonly inside: number;
  readonly waiting: number;
}

export function createGate(atOnce: number): Gate {
  let inside = 0;
  const queue = new Set<() => void>();

  function leave(): void {
    inside -= 1;
    const [next] = queue;
    if (next !== undefined) next();
  }

  /** Calling it twice is no second leaving. */
  function admitted(): () => void {
    inside += 1;
    let left = false;
    return () => {
      if (!left) leave();
      left = true;
    };
  }

  return {
    enter(milliseconds) {
      if (inside < atOnce) return Promise.resolve(admitted());
      return new Promise((resolve) => {
        const admit = () => {
          clearTimeout(giveUp);
          queue.delete(admit);
          resolve(admitted());
        };
        const giveUp = setTimeout(() => {
          queue.delete(admit);
          resolve(undefined);
        }, milliseconds);
        queue.add(admit);
      });
    },
    get inside() {
      return inside;
    },
    get waiting() {
      return queue.size;
    },
  };
}
