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
  {
    file: 'src/consent/drafts.ts',
    was: 'const time = state !== undefined && state.at > at ? state.at : at;',
    becomes: 'const time = state !== undefined && state.at >= at ? state.at : at;',
    why: 'Of two times that are the same text it is the same which one is taken.',
  },
  {
    file: 'src/auth/scopes.ts',
    was: '!scopes.some((other, i) => i !== at && includes(other, scope) && (i < at || !includes(scope, other))),',
    becomes: '!scopes.some((other, i) => i !== at && includes(other, scope) && (i <= at || !includes(scope, other))),',
    why: 'That both are the same index is ruled out before.',
  },
];

/** Undefined for a mutant that a test must kill. */
export function whyEquivalent(mutant: Omit<Equivalent, 'why'>): string | undefined {
  return EQUIVALENTS.find(
    ({ file, was, becomes }) => file === mutant.file && was === mutant.was && becomes === mutant.becomes,
  )?.why;
}
