import type { Issue } from '../../errors.ts';
import { Environment, type Node } from '../fhirpath/fhirpath.ts';
import { readElement } from '../fhirpath/node.ts';
import { readsOf } from '../fhirpath/types.ts';
import { leadsToOneOf } from '../validation/targets.ts';
import { codesOf } from './codes-of.ts';
import { equalsFixed, fitsPattern } from './matching.ts';
import type { CodeMembership, ElementRule, Profile, Profiles, Slicing } from './profile.ts';
import { belongsTo } from './slices.ts';

/** What all checks of one resource share. */
export interface CheckContext {
  readonly resource: object;
  readonly profiles: Profiles;
  readonly isMember: CodeMembership;
  readonly issues: Issue[];
}

/** Appends what a resource does not have that the profile asks for. @param expression FHIRPath of the resource */
export function checkProfile(profile: Profile, root: Node, expression: string, context: CheckContext): void {
  checkItem(profile.root, root, expression, context);
}

function checkItem(rule: ElementRule, item: Node, expression: string, context: CheckContext): void {
  checkValue(rule, item, expression, context);
  checkInvariants(rule, item, expression, context);
  for (const child of rule.children) checkElement(child, item, expression, context);
  const extension = rule.profile === undefined ? undefined : context.profiles.get(rule.profile);
  if (extension !== undefined) checkItem(extension.root, item, expression, context);
}

function checkElement(rule: ElementRule, parent: Node, expression: string, context: CheckContext): void {
  const items = readElement(parent, rule.name, undefined) ?? [];
  const places = items.map(
    (item, index) => `${expression}.${rule.name}${isList(parent, rule, item) ? `[${index}]` : ''}`,
  );
  checkCount(rule, items.length, `${expression}.${rule.name}`, context);
  for (const [index, item] of items.entries()) checkItem(rule, item, places[index] ?? expression, context);
  if (rule.slicing !== undefined) checkSlices(rule, rule.slicing, items, places, expression, context);
}

function checkSlices(
  rule: ElementRule,
  slicing: Slicing,
  items: readonly Node[],
  places: readonly string[],
  expression: string,
  context: CheckContext,
): void {
  const taken = new Set<Node>();
  for (const slice of slicing.slices) {
    const own = items.filter((item) => belongsTo(item, slice, slicing.discriminators, context));
    for (const item of own) {
      taken.add(item);
      checkItem(slice.rule, item, places[items.indexOf(item)] ?? expression, context);
    }
    checkCount(slice.rule, own.length, `${expression}.${rule.name}`, context);
  }
  if (!slicing.closed) return;
  for (const [index, item] of items.entries()) {
    if (!taken.has(item))
      add(context, 'structure', places[index] ?? expression, `is of no slice that ${rule.id} allows`);
  }
}

function checkCount({ id, min, max }: ElementRule, count: number, expression: string, context: CheckContext): void {
  if (count < min)
    add(context, 'required', expression, `${id} is needed at least ${times(min)}, and there ${are(count)}`);
  if (count > max)
    add(context, 'structure', expression, `${id} may be there at most ${times(max)}, and there ${are(count)}`);
}

function checkValue(rule: ElementRule, item: Node, expression: string, context: CheckContext): void {
  if (rule.types !== undefined && !rule.types.includes(item.type)) {
    add(context, 'structure', expression, `must be of type ${rule.types.join(' or ')}`);
  }
  if (rule.fixed !== undefined && !equalsFixed(item.value, rule.fixed)) {
    add(context, 'value', expression, `must be ${JSON.stringify(rule.fixed)}`);
  }
  if (rule.pattern !== undefined && !fitsPattern(item.value, rule.pattern)) {
    add(context, 'value', expression, `must have ${JSON.stringify(rule.pattern)}`);
  }
  if (rule.targets !== undefined && !leadsToOneOf(rule.targets, item.value)) {
    add(context, 'value', expression, `must refer to ${[...rule.targets].join(' or ')}`);
  }
  if (rule.valueSet !== undefined) checkCode(rule.valueSet, item, expression, context);
}

/** Of a CodeableConcept one coding is enough; a value set that is not known here binds nobody. */
function checkCode(valueSet: string, item: Node, expression: string, context: CheckContext): void {
  const members = codesOf(item).map(({ system, code }) => context.isMember(valueSet, system, code));
  if (members.length > 0 && (members.includes(true) || members.includes(undefined))) return;
  if (members.length === 0 && item.value === undefined) return;
  add(context, 'code-invalid', expression, `must have a code of ${valueSet}`);
}

function checkInvariants(rule: ElementRule, item: Node, expression: string, context: CheckContext): void {
  if (rule.constraints.length === 0) return;
  const environment = new Environment(item, { resource: context.resource });
  for (const { key, severity, human, expression: invariant } of rule.constraints) {
    if (invariant.test(item, environment) !== false) continue;
    context.issues.push({ severity, code: 'invariant', diagnostics: `${expression}: ${human} (${key})`, expression });
  }
}

function add({ issues }: CheckContext, code: string, expression: string, what: string): void {
  issues.push({ severity: 'error', code, diagnostics: `${expression} ${what}`, expression });
}

/** Whether the element stands in a JSON array, so that an index belongs into its path. */
function isList(parent: Node, { name }: ElementRule, item: Node): boolean {
  const holder = (parent.companion ?? parent.value) as Readonly<Record<string, unknown>> | undefined;
  return (readsOf(parent.type, name) ?? []).some(
    (read) =>
      read.type === item.type && (Array.isArray(holder?.[read.name]) || Array.isArray(holder?.[read.companion])),
  );
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function are(count: number): string {
  if (count === 0) return 'is none';
  return count === 1 ? 'is one' : `are ${count}`;
}
