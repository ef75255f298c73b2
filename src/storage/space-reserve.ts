import { MedSealError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/**
 * Keeps the last part of the disk for reads, each of which needs room for its leaf in the access log: when less than the
 * reserve is free, writes are refused, while PostgreSQL still runs. It stops altogether when it cannot write its log.
 */
export interface SpaceReserve {
  /** @throws MedSealError `storage-full` */
  check(): void;
  /** Why writes are refused, as long as they are. */
  readonly reason: string | undefined;
  stop(): void;
}

export interface SpaceReserveOptions {
  /** Free bytes where the database lies; undefined where that cannot be known. */
  readonly freeBytes: () => Promise<number | undefined>;
  readonly logger: Logger;
  /** Bytes. */
  readonly reserve?: number;
  /** Milliseconds between looks. */
  readonly interval?: number;
}

/** At a kilobyte or five per read, about 100,000 reads. */
const RESERVE = 256 * 1024 * 1024;
/** In which a busy server writes less than half of the reserve. */
const INTERVAL = 5_000;

export async function keepSpaceReserve(options: SpaceReserveOptions): Promise<SpaceReserve> {
  const { freeBytes, logger, reserve = RESERVE, interval = INTERVAL } = options;
  let reason: string | undefined;

  async function look(): Promise<void> {
    const free = await freeBytes();
    if (free === undefined) return;
    const isFull = free < reserve;
    if (isFull === (reason !== undefined)) return;
    reason = isFull ? 'the disk is nearly full, and what is left is kept for reads' : undefined;
    logger.warn({ freeBytes: free, reserve }, isFull ? 'the disk is nearly full' : 'there is space on the disk again');
  }

  await look();
  const timer = setInterval(() => {
    look().catch((error: unknown) => logger.warn({ err: error }, 'the free space could not be read'));
  }, interval);
  timer.unref();
  return {
    check() {
      if (reason !== undefined) throw new MedSealError('storage-full', `Writes are refused: ${reason}`);
    },
    get reason() {
      return reason;
    },
    stop: () => clearInterval(timer),
  };
}
