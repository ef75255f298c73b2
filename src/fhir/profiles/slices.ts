import type { Node } from '../fhirpath/fhirpath.ts';
import { readElement } from '../fhirpath/node.ts';
import { codesOf } from './codes-of.ts';
import { equalsFixed, fitsPattern } from './matching.ts';
import type { CodeMembership, Discriminator, ElementRule, Profiles, Slice } from './profile.ts';

interface SliceContext {
  readonly profiles: Profiles;
  readonly isMember: CodeMembership;
}

/** Whether an item is of a slice: all discriminators say so (http://hl7.org/fhir/R4/profiling.html#discriminator). */
export function belongsTo(
  item: Node,
  { rule }: Slice,
  discriminators: readonly Discriminator[],
  context: SliceContext,
): boolean {
  return discriminators.every(({ type, path }) => {
    const values = path.reduce<readonly Node[]>(
      (at, name) => at.flatMap((one) => readElement(one, name, undefined) ?? []),
      [item],
    );
    const wanted = ruleAt(rule, path);
    if (type === 'exists') return values.length > 0 === (wanted?.max !== 0);
    if (type === 'type') return values.some((value) => wanted?.types?.includes(value.type));
    if (rule.profile !== undefined && path.join('.') === 'url')
      return values.some(({ value }) => value === rule.profile);
    return wanted !== undefined && values.some((value) => fits(value, wanted, context));
  });
}

function ruleAt(rule: ElementRule, path: readonly string[]): ElementRule | undefined {
  return path.reduce<ElementRule | undefined>((at, name) => at?.children.find((child) => child.name === name), rule);
}

/** What tells slices apart is a value or a set of values; a rule without either fits nothing. */
function fits(item: Node, { fixed, pattern, valueSet, children }: ElementRule, context: SliceContext): boolean {
  if (fixed !== undefined) return equalsFixed(item.value, fixed);
  if (pattern !== undefined) return fitsPattern(item.value, pattern);
  if (valueSet !== undefined) {
    return codesOf(item).some(({ system, code }) => context.isMember(valueSet, system, code) === true);
  }
  const told = children.filter((child) => child.fixed !== undefined || child.pattern !== undefined);
  return (
    told.length > 0 &&
    told.every((child) => (readElement(item, child.name, undefined) ?? []).some((value) => fits(value, child, context)))
  );
}
