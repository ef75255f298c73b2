import type { ImportRequest, SentEntry } from './request.ts';

/** What a server answered. */
export interface Answer {
  readonly status: number;
  /** Whether it names when something was changed. */
  readonly modified: boolean;
  readonly body: string;
}

/** What became of one entry. */
export interface EntryOutcome extends SentEntry {
  readonly result: Result;
  /** Why it failed. */
  readonly problems: readonly Problem[];
}

export type Result = 'created' | 'updated' | 'unchanged' | 'deleted' | 'failed';

/** As it is counted and shown: no values, only what is wrong and where in a resource. */
export interface Problem {
  /** A code of errors.ts, or of FHIR's issue types from another server, or `http-STATUS`. */
  readonly code: string;
  /** Such as `Observation.code.coding`; '' where none is named. */
  readonly element: string;
}

/** Problems that may be gone once other items are in. */
const PASSING: ReadonlySet<string> = new Set(['unresolved-reference', 'version-conflict']);

/** Whether it makes sense to try the entry again after others. */
export function mayPass({ problems }: EntryOutcome): boolean {
  return problems.some(({ code }) => PASSING.has(code));
}

/** Reads an answer to a request: one outcome for each of its entries. */
export function outcomesOf(request: ImportRequest, answer: Answer): readonly EntryOutcome[] {
  const { entries, kind } = request;
  if (answer.status >= 300) return failAll(entries, problemsOf(parsed(answer.body), `http-${answer.status}`, entries));
  if (kind === 'single') {
    return entries.map((entry) => ({ ...entry, result: resultOf(answer.status, answer.modified), problems: [] }));
  }
  const { entry } = (parsed(answer.body) ?? {}) as { entry?: unknown };
  const responses = (Array.isArray(entry) ? entry : []) as readonly { response?: BundleResponse }[];
  return entries.map((sent, index) => entryOutcome(sent, responses[index]?.response, entries));
}

export function failAll(entries: readonly SentEntry[], problems: readonly Problem[]): readonly EntryOutcome[] {
  return entries.map((entry) => ({ ...entry, result: 'failed' as const, problems }));
}

interface BundleResponse {
  readonly status?: string;
  readonly lastModified?: string;
  readonly outcome?: unknown;
}

function entryOutcome(
  sent: SentEntry,
  response: BundleResponse | undefined,
  entries: readonly SentEntry[],
): EntryOutcome {
  const status = Number.parseInt(response?.status ?? '', 10);
  if (status >= 200 && status < 300) {
    return { ...sent, result: resultOf(status, response?.lastModified !== undefined), problems: [] };
  }
  const otherwise = Number.isNaN(status) ? 'unreadable-answer' : `http-${status}`;
  return { ...sent, result: 'failed', problems: problemsOf(response?.outcome, otherwise, entries) };
}

function resultOf(status: number, modified: boolean): Result {
  if (status === 201) return 'created';
  if (status === 204) return 'deleted';
  return modified ? 'updated' : 'unchanged';
}

interface OutcomeIssue {
  readonly severity?: string;
  readonly code?: string;
  readonly details?: { readonly coding?: readonly { readonly code?: string }[] };
  readonly expression?: readonly string[];
}

function problemsOf(outcome: unknown, otherwise: string, entries: readonly SentEntry[]): readonly Problem[] {
  const { issue } = (outcome ?? {}) as { issue?: unknown };
  const issues = (Array.isArray(issue) ? (issue as readonly OutcomeIssue[]) : []).filter(
    ({ severity }) => severity !== 'information' && severity !== 'warning',
  );
  if (issues.length === 0) return [{ code: otherwise, element: '' }];
  return issues.map(({ code, details, expression }) => ({
    code: codeOf(details?.coding?.[0]?.code) ?? codeOf(code) ?? otherwise,
    element: elementOf(expression?.[0], entries),
  }));
}

function codeOf(code: unknown): string | undefined {
  return typeof code === 'string' && /^[a-z][a-z0-9-]{0,63}$/.test(code) ? code : undefined;
}

/** `Bundle.entry[3].resource.code[0].text` becomes `Observation.code.text`, so that the same mistake counts as the same. */
function elementOf(expression: unknown, entries: readonly SentEntry[]): string {
  if (typeof expression !== 'string') return '';
  const [, index = '', rest = ''] = /^Bundle\.entry\[(\d+)\]\.resource(.*)$/s.exec(expression) ?? [];
  const type = index === '' ? undefined : entries[Number(index)]?.type;
  const element = (type === undefined ? expression : `${type}${rest}`).replaceAll(/\[\d+\]/g, '');
  // Anything else could quote a value.
  return /^[A-Za-z$_][A-Za-z0-9.$_-]{0,199}$/.test(element) ? element : '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, or nothing.
    return undefined;
  }
}
