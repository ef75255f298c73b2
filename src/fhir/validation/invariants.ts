import type { Issue } from '../../errors.ts';
import { MedSealError } from '../../errors.ts';
import { type TypeDefinition, typeDefinition } from '../definitions/definitions.ts';
import {
  type CompiledExpression,
  compileExpression,
  Environment,
  type Node,
  resourceNode,
} from '../fhirpath/fhirpath.ts';
import { readElement } from '../fhirpath/node.ts';

type Constraint = NonNullable<TypeDefinition['constraints']>[number];

/**
 * R4's own invariants (http://hl7.org/fhir/R4/conformance-rules.html#constraints) of a resource that is structurally
 * valid, and of all that is in it. What is best practice is a warning.
 *
 * @param root FHIRPath of the resource itself where it is part of another
 */
export type CheckInvariants = (resource: object, root: string) => readonly Issue[];

/** It speaks of an element that its type does not have; HL7 took it out in R4B. */
const NEVER_TRUE: ReadonlySet<string> = new Set(['cid-0']);
const MAX_ISSUES = 50;

interface Place {
  readonly node: Node;
  readonly expression: string;
  /** The resource that it is part of: `%resource`. */
  readonly resource: object;
}

/** Invariants are compiled when a type is first met. */
export function createInvariants(): CheckInvariants {
  const compiled = new Map<string, CompiledExpression>();

  function compile(expression: string, types: readonly string[]): CompiledExpression {
    const key = `${types.join()} ${expression}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = compileExpression(expression, ...types);
    compiled.set(key, made);
    return made;
  }

  function isViolated({ node, resource }: Place, { expression }: Constraint, types: readonly string[], root: object) {
    try {
      const environment = new Environment(node, { resource, rootResource: root });
      return compile(expression, types).test(node, environment) === false;
    } catch (error) {
      // It cannot be decided of this content, such as an order of what has no order.
      if (error instanceof MedSealError && error.code === 'invalid-expression') return false;
      throw error;
    }
  }

  return (root, expression) => {
    const issues: Issue[] = [];
    const check = (place: Place, constraints: readonly Constraint[] | undefined, types: readonly string[]) => {
      for (const constraint of constraints ?? []) {
        if (NEVER_TRUE.has(constraint.key) || !isViolated(place, constraint, types, root)) continue;
        const { key, severity, human } = constraint;
        const diagnostics = `${place.expression}: ${human} (${key})`;
        issues.push({ severity, code: 'invariant', diagnostics, expression: place.expression });
      }
    };
    const pending: Place[] = [{ node: resourceNode(root), expression, resource: root }];
    for (let place = pending.pop(); place !== undefined && issues.length < MAX_ISSUES; place = pending.pop()) {
      check(place, typeDefinition(place.node.type)?.constraints, [place.node.type]);
      for (const { element, ...below } of childrenOf(place)) {
        check(below, element.constraints, element.types);
        pending.push(below);
      }
    }
    return issues.slice(0, MAX_ISSUES);
  };
}

function childrenOf({ node, expression, resource }: Place) {
  return [...(typeDefinition(node.type)?.elements.values() ?? [])].flatMap((element) =>
    (readElement(node, element.name, undefined) ?? []).map((item, index) => ({
      element,
      node: item,
      expression: `${expression}.${element.name}${element.max > 1 ? `[${index}]` : ''}`,
      resource: resourceOf(item) ?? resource,
    })),
  );
}

function resourceOf({ type, value }: Node): object | undefined {
  const isResource = typeDefinition(type)?.kind === 'resource' && typeof value === 'object' && value !== null;
  return isResource ? value : undefined;
}
