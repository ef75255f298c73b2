import { type Issue, MedSealError } from '../../errors.ts';
import { isResourceType } from '../definitions/definitions.ts';
import { issuesOf } from './issues.ts';
import { typeValidators } from './validators.ts';

export interface Validator {
  /**
   * The structural errors of a resource against R4 (http://hl7.org/fhir/R4/validation.html): cardinality, types,
   * formats, unknown elements, codes of required bindings, the types that references may lead to; none when it is valid.
   * Invariants are not looked at.
   *
   * @param root FHIRPath of the resource itself where it is part of another: `Bundle.entry[3].resource`
   * @returns at most 50 errors; the first one alone of a resource with more than 10,000 values
   */
  validate(resource: unknown, root?: string): readonly Issue[];
  /** @throws MedSealError `invalid-resource` with the issues of `validate` */
  assertValid(resource: unknown, root?: string): void;
}

const MAX_ISSUES = 50;
/** An error costs some hundred bytes, and each value of a hostile resource can be one. */
const MAX_EXPLAINED_VALUES = 10_000;

/** A validator whose types are compiled on first use; one is enough for a process. */
export function createValidator(): Validator {
  const first = typeValidators({ allErrors: false });
  const all = typeValidators({ allErrors: true });

  function validate(resource: unknown, root?: string): readonly Issue[] {
    const type = resourceTypeOf(resource);
    if (type === undefined) return [notAResource(root ?? 'Resource')];
    const quick = first(type);
    if (quick(resource)) return [];
    const thorough = hasMoreValuesThan(MAX_EXPLAINED_VALUES, resource) ? quick : all(type);
    thorough(resource);
    return issuesOf((thorough.errors ?? []).slice(0, MAX_ISSUES), resource, type, root ?? type);
  }

  return {
    validate,
    assertValid(resource, root) {
      refuseInvalid(validate(resource, root));
    },
  };
}

/** @throws MedSealError `invalid-resource` with the errors among the issues, where there are some */
export function refuseInvalid(issues: readonly Issue[]): void {
  const errors = issues.filter(({ severity }) => severity === 'error');
  const [one, ...others] = errors;
  if (one === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more errors`;
  throw new MedSealError('invalid-resource', `Not a valid FHIR R4 resource: ${one.diagnostics}${more}`, {
    issues: errors,
  });
}

function resourceTypeOf(resource: unknown): string | undefined {
  if (typeof resource !== 'object' || resource === null || !('resourceType' in resource)) return undefined;
  const { resourceType } = resource;
  return typeof resourceType === 'string' && isResourceType(resourceType) ? resourceType : undefined;
}

function notAResource(expression: string): Issue {
  const diagnostics = `${expression} must be an object with a resourceType of FHIR R4`;
  return { severity: 'error', code: 'structure', diagnostics, expression };
}

/** Counts objects, lists and primitives, of what is nested too, and stops once there are more than `limit`. */
export function hasMoreValuesThan(limit: number, resource: unknown): boolean {
  const pending: unknown[] = [resource];
  for (let count = 0; pending.length > 0; count++) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const values: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (count + pending.length + values.length > limit) return true;
    pending.push(...values);
  }
  return false;
}
