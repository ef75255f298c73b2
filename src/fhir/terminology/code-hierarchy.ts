import table from '../definitions/r4-hierarchies.json' with { type: 'json' };

/**
 * What a code is a kind of, as far as it can be told without a terminology server: by HL7's own code systems that are
 * packaged (definitions/r4-hierarchies.json), and by the form of the code where its system builds codes so.
 */
export function codeAndAncestors(system: string, code: string): readonly string[] {
  const byForm = FORMS.get(system);
  if (byForm !== undefined) return [code, ...byForm(code)];
  const parents = HIERARCHIES[system];
  if (parents === undefined) return [code];
  const found = new Set([code]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const one of found)
    for (const parent of Object.hasOwn(parents, one) ? (parents[one] ?? []) : []) found.add(parent);
  return [...found];
}

const HIERARCHIES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = table;

/** `E11.65` is a kind of `E11.6`, and that of `E11`. */
function icd10(code: string): readonly string[] {
  const [, category = '', detail = ''] = /^([A-Z]\d[0-9A-Z])(?:\.?([0-9A-Z]{1,6}))?$/.exec(code) ?? [];
  if (detail === '') return [];
  const dot = code.includes('.') ? '.' : '';
  const between = Array.from({ length: detail.length - 1 }, (_, index) => detail.slice(0, detail.length - 1 - index));
  return [...between.map((part) => `${category}${dot}${part}`), category];
}

/** Anatomical main group, therapeutic, pharmacological and chemical subgroup, substance: 1, 3, 4, 5 and 7 signs. */
function atc(code: string): readonly string[] {
  if (!/^[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?$/.test(code)) return [];
  return [5, 4, 3, 1].filter((length) => length < code.length).map((length) => code.slice(0, length));
}

const FORMS: ReadonlyMap<string, (code: string) => readonly string[]> = new Map([
  ['http://hl7.org/fhir/sid/icd-10', icd10],
  ['http://hl7.org/fhir/sid/icd-10-cm', icd10],
  ['http://hl7.org/fhir/sid/icd-10-cn', icd10],
  ['http://www.whocc.no/atc', atc],
]);

/** Whether a system's codes are built of what they are a kind of, so that there is no end to what is below one. */
export function isBuiltOfParts(system: string): boolean {
  return FORMS.has(system);
}

/** Whether `codeAndAncestors` knows the system at all. */
export function hasHierarchy(system: string): boolean {
  return FORMS.has(system) || Object.hasOwn(HIERARCHIES, system);
}

/** A code and every kind of it, in a system that is packaged whole; of others, itself alone. */
export function codeAndDescendants(system: string, code: string): readonly string[] {
  const parents = Object.hasOwn(HIERARCHIES, system) ? HIERARCHIES[system] : undefined;
  if (parents === undefined) return [code];
  const below = Object.keys(parents).filter((one) => one !== code && codeAndAncestors(system, one).includes(code));
  return [code, ...below];
}
