import table from '../definitions/r4-required-codes.json' with { type: 'json' };

/** The codes of a value set that an element is bound to by `required`. */
export interface RequiredCodes {
  /** In the order of its definition. */
  readonly codes: ReadonlySet<string>;
  /** A coding without a system counts by its code alone. */
  has(system: unknown, code: unknown): boolean;
}

const TABLE: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = table;

/**
 * @param valueSet canonical URL, with or without version
 * @returns undefined where R4 does not list the codes itself, such as for currencies and media types
 */
export function requiredCodesOf(valueSet: string): RequiredCodes | undefined {
  const systems = TABLE[valueSet.split('|')[0] ?? ''];
  if (systems === undefined) return undefined;
  const bySystem = new Map(Object.entries(systems).map(([system, codes]) => [system, new Set(codes)]));
  const all = new Set(Object.values(systems).flat());
  return {
    codes: all,
    has(system, code) {
      if (typeof code !== 'string') return false;
      return typeof system === 'string' ? (bySystem.get(system)?.has(code) ?? false) : all.has(code);
    },
  };
}

/** http://hl7.org/fhir/R4/terminologies.html#required: one of the codings must be of the value set. */
export function conceptIsOf(required: RequiredCodes, concept: unknown): boolean {
  const { coding, extension } = (concept ?? {}) as { readonly coding?: unknown; readonly extension?: unknown };
  // Why there is none is told by an extension, where at all.
  if (coding === undefined && extension !== undefined) return true;
  if (!Array.isArray(coding)) return false;
  return coding.some((one: { readonly system?: unknown; readonly code?: unknown } | null) =>
    required.has(one?.system, one?.code),
  );
}
