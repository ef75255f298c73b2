import type { Resource } from '@medplum/fhirtypes';
import type { Issue } from '../../errors.ts';
import { isId } from '../../fhir/references/reference.ts';
import type { RequestContext } from '../../request-context.ts';
import { issueOf } from '../operation-outcome.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import { invalid, type OperationRequest, parameterOf, readParameters, requireKnown } from './parameters.ts';

const KNOWN: ReadonlySet<string> = new Set(['resource', 'mode', 'profile']);
const MODES: ReadonlySet<string> = new Set(['create', 'update', 'delete']);

/**
 * http://hl7.org/fhir/R4/resource-operation-validate.html of a type or an instance: whether a write of this would be
 * accepted where validation is strict, by its content and by who asks; against `profile` instead of what it claims where
 * that is given. Nothing that is stored is looked at, so that the answer tells nothing of it. Always 200 with an
 * OperationOutcome.
 */
export async function validate(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  const { type, id } = request;
  const { pairs, body } = request;
  const isWrapped =
    (body as { resourceType?: unknown } | null | undefined)?.resourceType === 'Parameters' && type !== 'Parameters';
  const parameters = readParameters({ pairs, body: isWrapped ? body : undefined });
  requireKnown(parameters, KNOWN);
  const mode = parameterOf(parameters, 'mode');
  if (mode !== undefined && !MODES.has(mode)) throw invalid('mode must be create, update or delete', 'mode');
  services.writer.authorise(context, type, mode === 'delete' ? 'd' : mode === 'create' || id === '' ? 'c' : 'u');
  const profile = parameterOf(parameters, 'profile');
  const resource = isWrapped ? parameters.values.get('resource') : body;
  if (mode === 'delete') return answer(id === '' ? [needed('A deletion is of an instance')] : []);
  if (resource === undefined) return answer([needed('There is no resource to validate')]);
  return answer(issuesOf(services, request, mode, resource, profile));
}

function issuesOf(
  { validator, strictValidator }: Services,
  { type, id }: OperationRequest,
  mode: string | undefined,
  resource: unknown,
  profile: string | undefined,
): readonly Issue[] {
  const { resourceType, id: given } = (resource ?? {}) as { resourceType?: unknown; id?: unknown };
  if (resourceType !== type) {
    const diagnostics = `${type} must be a ${type}, as the URL says`;
    return [{ severity: 'error', code: 'invalid', diagnostics, expression: `${type}.resourceType` }];
  }
  const structural = validator.validate(resource);
  const asked = profile === undefined ? {} : { profiles: [profile] };
  const issues = structural.length > 0 ? structural : strictValidator.validate(resource as Resource, asked);
  const isUpdate = mode === 'update' || (mode === undefined && id !== '');
  if (!isUpdate || (typeof given === 'string' && isId(given) && (id === '' || given === id))) return issues;
  const diagnostics = 'The resource must bear the id that it is put under';
  return [...issues, { severity: 'error', code: 'value', diagnostics, expression: `${type}.id` }];
}

function needed(diagnostics: string): Issue {
  return { severity: 'error', code: 'required', diagnostics };
}

const VALID: Issue = { severity: 'information', code: 'informational', diagnostics: 'It would be accepted' };

function answer(issues: readonly Issue[]): InteractionResult {
  const error = { code: 'invalid-resource', issueType: 'invariant' } as const;
  const isValid = issues.every(({ severity }) => severity !== 'error');
  const found = issues.map((one) => (one.severity === 'error' ? issueOf(one, error) : issueOf(one)));
  const issue = isValid ? [...found, issueOf(VALID)] : found;
  return { status: 200, body: JSON.stringify({ resourceType: 'OperationOutcome', issue }) };
}
