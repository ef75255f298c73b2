import type { Resource } from '@medplum/fhirtypes';
import { notFound } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { parseJson } from '../../fhir/json/parse.ts';
import { isId } from '../../fhir/references/reference.ts';
import { refuseInvalid } from '../../fhir/validation/validate.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { RequestContext } from '../../request-context.ts';
import type { Services } from '../services.ts';
import { expressionOf, type Patch, resourceExpression, type WriteEntry } from './entry.ts';
import { findOnly, parseCondition } from './match.ts';

/**
 * Turns each PATCH into the PUT that it amounts to now (http://hl7.org/fhir/R4/http.html#patch). What a patch does, and
 * whether its tests hold, tells of the content, so it is read as any read is: past the consents, with the scope to read.
 *
 * @throws MedSealError `forbidden`, `not-found`, `gone`, `precondition-failed`, `patch-failed`, `invalid-resource`
 */
export async function patchEntries(
  services: Services,
  context: RequestContext,
  institution: Institution,
  entries: readonly WriteEntry[],
): Promise<readonly WriteEntry[]> {
  if (!entries.some(({ method }) => method === 'PATCH')) return entries;
  const patched: WriteEntry[] = [];
  for (const entry of entries) {
    const { patch } = entry;
    patched.push(patch === undefined ? entry : await patchEntry(services, context, institution, entry, patch));
  }
  return patched;
}

async function patchEntry(
  services: Services,
  context: RequestContext,
  institution: Institution,
  entry: WriteEntry,
  patch: Patch,
): Promise<WriteEntry> {
  const { type, ifMatch } = entry;
  const id = await idOf(services, institution, entry);
  if (!isId(id)) throw notFound();
  const { content, row } = await services.reader.read(context, type, id);
  if (content === undefined) throw new MedSealError('internal', 'A version that is read has content');
  const { version } = row;
  if (ifMatch !== undefined && ifMatch !== '*' && !ifMatch.includes(version)) {
    throw new MedSealError('precondition-failed', 'The resource is not at the version that If-Match names');
  }
  const resource = patch(parseJson(content)) as unknown as Resource;
  const made: WriteEntry = { ...entry, method: 'PUT', id, conditional: undefined, resource, basedOn: version };
  requireValid(services, institution, made);
  if (resource.id === id) return made;
  throw new MedSealError('invalid-resource', 'A patch cannot change the id of a resource', {
    expression: `${resourceExpression(entry)}.id`,
  });
}

/** @throws MedSealError `not-found` where nothing meets the condition, `multiple-matches` */
async function idOf(services: Services, institution: Institution, entry: WriteEntry): Promise<string> {
  const { type, conditional } = entry;
  if (conditional === undefined) return entry.id ?? '';
  const expression = expressionOf(entry, 'request.url');
  const condition = parseCondition(services, institution, type, conditional, expression);
  const match = await findOnly(services, institution, condition, expression);
  if (match === undefined) throw notFound();
  return match.id;
}

/**
 * What is to be written is a valid resource of the type that the URL says, as strictly as its institution has it.
 *
 * @throws MedSealError `invalid-resource`
 */
export function requireValid(
  { validator, strictValidator }: Pick<Services, 'validator' | 'strictValidator'>,
  institution: Institution,
  entry: WriteEntry,
): void {
  if (entry.method === 'DELETE' || entry.method === 'PATCH') return;
  const expression = resourceExpression(entry);
  if (entry.resource?.resourceType !== entry.type) {
    throw new MedSealError('invalid-resource', `${expression} must be a ${entry.type}, as the URL says`, {
      expression: `${expression}.resourceType`,
    });
  }
  validator.assertValid(entry.resource, expression);
  if (institution.validation === 'strict') {
    refuseInvalid(strictValidator.validate(entry.resource, { root: expression }));
  }
}
