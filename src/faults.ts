/**
 * Named places where a drill may make the process die, fail or hang; `docs/crash-points.md` says which hard case each
 * stands for and which drill passes it. In normal operation `noFaults` is passed, which does nothing.
 */
export const CRASH_POINTS = [
  'kek-before-durable',
  'kek-after-durable',
  'write-inside-transaction',
  'bundle-middle',
  'write-before-commit',
  'write-commit-unknown',
  'write-after-commit',
  'batch-before-seal',
  'batch-after-seal',
  'content-before-put',
  'content-during-put',
  'content-before-pin',
  'content-pin-unknown',
  'content-read-back',
  'content-after-put',
  'anchor-endorsed-unsent',
  'anchor-outcome-unknown',
  'anchor-committed-unrecorded',
  'disk-full',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

export interface Faults {
  /** Resolves when nothing is injected here; otherwise kills the process, rejects, or waits, as the drill says. */
  at(point: CrashPoint): Promise<void>;
  /**
   * For a torn write: how many of `length` bytes to write, or undefined to write them all. The next `at` of the same
   * point ends the process. At `content-read-back`: how many come back.
   */
  tear(point: CrashPoint, length: number): number | undefined;
}

export const noFaults: Faults = {
  at: () => Promise.resolve(),
  tear: () => undefined,
};
