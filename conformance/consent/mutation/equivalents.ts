/**
 * Mutants that change nothing which a test could see without looking at the implementation, and why. A run leaves them
 * out and says how many it left out. Each is named by its line, so that it comes back when that line changes.
 */
interface Equivalent {
  readonly file: string;
  /** The line as it is, and as it becomes, without indentation. */
  readonly was: string;
  readonly becomes: string;
  readonly why: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: 'src/consent/scribe/scribe.ts',
    was: 'return items.length >= MIN_ITEMS && items.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) <= MAX_TEXT;',
    becomes:
      'return items.length >= MIN_ITEMS && items.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) < MAX_TEXT;',
    why: 'Whether exactly 4 MiB are worth the way to the thread: both threads make the same of them.',
  },
];

/** Undefined for a mutant that a test must kill. */
export function whyEquivalent(mutant: Omit<Equivalent, 'why'>): string | undefined {
  return EQUIVALENTS.find(
    ({ file, was, becomes }) => file === mutant.file && was === mutant.was && becomes === mutant.becomes,
  )?.why;
}
