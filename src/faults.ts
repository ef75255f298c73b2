/**
 * Named places where a drill may make the process die, fail or hang, as listed in `docs/crash-points.md`. In normal
 * operation `noFaults` is passed, which does nothing.
 */
export type CrashPoint =
  | 'kek-before-durable'
  | 'kek-after-durable'
  | 'write-inside-transaction'
  | 'write-before-commit'
  | 'write-commit-unknown'
  | 'write-after-commit'
  | 'bundle-middle'
  | 'batch-before-seal'
  | 'batch-after-seal'
  | 'content-before-put'
  | 'content-during-put'
  | 'content-after-put'
  | 'content-before-pin'
  | 'content-pin-unknown'
  | 'content-read-back'
  | 'anchor-endorsed-unsent'
  | 'anchor-outcome-unknown'
  | 'anchor-committed-unrecorded'
  | 'anchor-committed-invalid'
  | 'evidence-writing'
  | 'disk-full';

export interface Faults {
  /** Resolves when nothing is injected here; otherwise kills the process, rejects, or waits, as the drill says. */
  at(point: CrashPoint): Promise<void>;
  /** For a torn write: how many of `length` bytes to write before the process ends, or undefined to write them all. */
  tear(point: CrashPoint, length: number): number | undefined;
}

export const noFaults: Faults = {
  at: () => Promise.resolve(),
  tear: () => undefined,
};
