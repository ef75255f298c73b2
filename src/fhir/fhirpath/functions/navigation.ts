import { type ParsedReference, parseReference } from '../../references/reference.ts';
import type { Environment } from '../environment.ts';
import { booleans, type Collection, EMPTY, type Node, node, readChildren, readElement, textOf } from '../node.ts';
import { systemTypeOf } from '../types.ts';
import { checkNarrative } from './narrative.ts';
import { asBoolean, asInput, eager, type FunctionSpec, type FunctionTable, lambda, unknownTypes } from './spec.ts';

function children(input: Collection): Node[] {
  const found: Node[] = [];
  for (const item of input) readChildren(item, found);
  return found;
}

function descendants(input: Collection): Collection {
  const found = children(input);
  // `found` grows while it is walked: what is appended are the children of what was appended before.
  for (const item of found) readChildren(item, found);
  return found;
}

/** http://hl7.org/fhir/R4/fhirpath.html#functions */
function extension(input: Collection, [url = EMPTY]: readonly Collection[]): Collection {
  const wanted = textOf(url);
  let found: Node[] | undefined;
  for (const item of input) found = readElement(item, 'extension', found);
  if (found === undefined || wanted === undefined) return EMPTY;
  return found.filter(
    ({ value }) => typeof value === 'object' && value !== null && 'url' in value && value.url === wanted,
  );
}

/**
 * What references lead to, as far as the resource itself tells, since nothing is read here: a contained resource, or
 * an item that has a type and no content. The type is that of the literal reference, or else `Reference.type`. Items
 * that lead to something of unknown type yield nothing.
 */
function resolve(input: Collection, _: readonly Collection[], env: Environment): Collection {
  const found: Node[] = [];
  for (const { value } of input) {
    const target = typeof value === 'string' ? resolveText(value, undefined, env) : resolveReference(value, env);
    if (target !== undefined) found.push(target);
  }
  return found;
}

function resolveReference(value: unknown, env: Environment): Node | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { reference, type } = value as { reference?: unknown; type?: unknown };
  const told = typeof type === 'string' ? type : undefined;
  return typeof reference === 'string' ? resolveText(reference, told, env) : stub(told);
}

function resolveText(text: string, told: string | undefined, env: Environment): Node | undefined {
  const reference = parseReference(text);
  if (reference?.kind === 'fragment') return contained(reference.id, env) ?? stub(told);
  return stub(typeOfReference(reference) ?? told);
}

function typeOfReference(reference: ParsedReference | undefined): string | undefined {
  return reference !== undefined && 'type' in reference ? reference.type : undefined;
}

function stub(type: string | undefined): Node | undefined {
  return type === undefined ? undefined : node(undefined, type);
}

function contained(id: string, env: Environment): Node | undefined {
  const root = env.rootResource;
  if (id === '') return root;
  return readElement(root, 'contained', undefined)?.find(
    ({ value }) => typeof value === 'object' && value !== null && 'id' in value && value.id === id,
  );
}

/** Whether the input is one primitive that has a value, not extensions alone. */
function hasValue(input: Collection): boolean {
  const [item] = input;
  if (input.length !== 1 || item?.value === undefined) return false;
  const system = systemTypeOf(item.type);
  return system !== undefined && system !== 'Quantity';
}

/** Navigation, utility and FHIR's own functions (https://hl7.org/fhirpath/N1/#tree-navigation, #utility-functions). */
export const NAVIGATION: FunctionTable = [
  ['children', eager(0, unknownTypes, children)],
  ['descendants', eager(0, unknownTypes, descendants)],
  ['is', { kind: 'type', arity: [1, 1], operator: 'is' }],
  ['as', { kind: 'type', arity: [1, 1], operator: 'as' }],
  ['ofType', { kind: 'type', arity: [1, 1], operator: 'as' }],
  // Nothing is written anywhere: what passes here may be out of a record.
  ['trace', lambda([1, 2], asInput, (input) => input)],
  [
    'now',
    eager(
      0,
      () => ['System.DateTime'],
      (_, __, env) => [node(env.now.toISOString(), 'System.DateTime')],
    ),
  ],
  [
    'today',
    eager(
      0,
      () => ['System.Date'],
      (_, __, env) => [node(env.now.toISOString().slice(0, 10), 'System.Date')],
    ),
  ],
  [
    'timeOfDay',
    eager(
      0,
      () => ['System.Time'],
      (_, __, env) => [node(env.now.toISOString().slice(11, 23), 'System.Time')],
    ),
  ],
  ['extension', eager(1, () => ['Extension'], extension)],
  ['hasValue', eager(0, asBoolean, (input) => booleans(hasValue(input)))],
  ['getValue', eager(0, asInput, (input) => (hasValue(input) ? input : EMPTY))],
  ['resolve', eager(0, unknownTypes, resolve)],
  [
    'htmlChecks',
    eager(0, asBoolean, (input) => {
      const text = textOf(input);
      return text === undefined ? EMPTY : booleans(checkNarrative(text));
    }),
  ],
  ['elementDefinition', unsupported(0, 'it needs the StructureDefinition of the element')],
  ['slice', unsupported(2, 'it needs the profile of the element')],
  ['checkModifiers', unsupported([1, Number.POSITIVE_INFINITY], 'it needs the profile of the element')],
  ['conformsTo', unsupported(1, 'it needs the profile')],
  ['memberOf', unsupported(1, 'it needs a terminology service')],
  ['subsumes', unsupported(1, 'it needs a terminology service')],
  ['subsumedBy', unsupported(1, 'it needs a terminology service')],
];

function unsupported(arity: number | readonly [number, number], why: string): FunctionSpec {
  return { kind: 'unsupported', arity: typeof arity === 'number' ? [arity, arity] : arity, why };
}
