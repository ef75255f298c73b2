import { type ElementRules, siblingName } from './schema.ts';

/** What can be wrong with an object's properties taken together. */
export type Problem =
  | { readonly problem: 'required'; readonly element: string }
  | { readonly problem: 'choice'; readonly element: string; readonly property: string; readonly other: string }
  /** A null in a repeating primitive, or a missing entry, with nothing in the sibling array either. */
  | { readonly problem: 'null'; readonly property: string; readonly index: number }
  | { readonly problem: 'resourceType' }
  | { readonly problem: 'contained' };

type Properties = Readonly<Record<string, unknown>>;

const NONE: readonly Problem[] = [];

/** Every violation of `rules` in one object. */
export function problemsOf(rules: ElementRules, object: Properties): readonly Problem[] {
  let problems = NONE;
  for (const { element, properties } of rules.required) {
    if (!properties.some((property) => object[property] !== undefined)) {
      problems = [...problems, { problem: 'required', element }];
    }
  }
  if (rules.choices.size > 0) problems = withAmbiguousChoices(rules, object, problems);
  for (const property of rules.repeatingPrimitives) {
    const index = firstEmptyItem(object[property], object[siblingName(property)]);
    if (index !== undefined) problems = [...problems, { problem: 'null', property, index }];
  }
  return problems;
}

function withAmbiguousChoices(rules: ElementRules, object: Properties, before: readonly Problem[]): readonly Problem[] {
  let problems = before;
  const chosen = new Map<string, string>();
  for (const property in object) {
    const choice = rules.choices.get(property);
    if (choice === undefined) continue;
    const other = chosen.get(choice.element);
    if (other === undefined) chosen.set(choice.element, property);
    else if (rules.choices.get(other)?.type !== choice.type) {
      problems = [...problems, { problem: 'choice', element: choice.element, property, other }];
    }
  }
  return problems;
}

/** http://hl7.org/fhir/R4/json.html#primitive: a null keeps the place of an item that only the sibling array has. */
function firstEmptyItem(values: unknown, siblings: unknown): number | undefined {
  if (!Array.isArray(values) && !Array.isArray(siblings)) return undefined;
  const [items, holders] = [Array.isArray(values) ? values : [], Array.isArray(siblings) ? siblings : []];
  for (let i = 0; i < Math.max(items.length, holders.length); i++) {
    if ((items[i] ?? null) === null && (holders[i] ?? null) === null) return i;
  }
  return undefined;
}
