import type { OperationOutcome } from '@medplum/fhirtypes';
import type { Issue, MedSealError } from '../errors.ts';

/** Our stable codes, as `issue.details.coding`. */
const ERROR_CODES = 'https://medseal.org/fhir/CodeSystem/error-code';

/** The one place where an error becomes an OperationOutcome (http://hl7.org/fhir/R4/operationoutcome.html). */
export function operationOutcome(error: MedSealError): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: error.issues.map((issue) => issueOf(issue, error)) };
}

/** @param error whose finding it is; none for what is no error */
export function issueOf(
  issue: Issue,
  error?: Pick<MedSealError, 'code' | 'issueType'>,
): OperationOutcome['issue'][number] {
  return {
    severity: issue.severity,
    code: (issue.code ?? error?.issueType ?? 'informational') as OperationOutcome['issue'][number]['code'],
    ...(error === undefined ? {} : { details: { coding: [{ system: ERROR_CODES, code: error.code }] } }),
    diagnostics: issue.diagnostics,
    ...(issue.expression === undefined ? {} : { expression: [issue.expression] }),
  };
}
