import { MedSealError } from '../errors.ts';

/** Bounds the memory that bodies under way may take together; whoever does not fit is asked to come again. */
export interface BodyBudget {
  /** @returns gives the bytes back; harmless when called twice. @throws MedSealError `rate-limited` */
  reserve(bytes: number): () => void;
}

export function createBodyBudget(total: number): BodyBudget {
  let free = total;
  return {
    reserve(bytes) {
      if (bytes > free)
        throw new MedSealError('rate-limited', 'Too much is being received at once; send it again shortly');
      free -= bytes;
      let held = true;
      return () => {
        if (held) free += bytes;
        held = false;
      };
    },
  };
}
