import { randomUUID } from 'node:crypto';
import type { CodeableConcept, Coding, ValueSet } from '@medplum/fhirtypes';
import { requireScope } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { compositionOf } from '../../fhir/terminology/content.ts';
import {
  type Composition,
  displaysOf,
  type ExpandedCode,
  expand,
  keyOf,
  withoutVersion,
} from '../../fhir/terminology/expansion.ts';
import type { PackagedTerminology } from '../../fhir/terminology/packaged.ts';
import type { RequestContext } from '../../request-context.ts';
import { parseVersion } from '../read.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import {
  invalid,
  type OperationParameters,
  type OperationRequest,
  parameterOf,
  readParameters,
  requireKnown,
} from './parameters.ts';

const EXPAND: ReadonlySet<string> = new Set(['url', 'valueSet', 'filter', 'offset', 'count', 'excludeNested']);
const CODE = ['url', 'code', 'system', 'display', 'coding', 'codeableConcept'] as const;
const VALIDATE_IN_SET: ReadonlySet<string> = new Set([...CODE, 'valueSet']);
const VALIDATE_IN_SYSTEM: ReadonlySet<string> = new Set(CODE);

/** A value set that was asked about: what is told of it, and what it is made of. */
interface Asked {
  readonly header: Partial<ValueSet>;
  readonly compose: Composition;
}

/** http://hl7.org/fhir/R4/valueset-operation-expand.html: of a packaged value set, one that is sent, or one that is stored. */
export async function expandValueSet(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  const parameters = readParameters(request);
  requireKnown(parameters, EXPAND);
  const terminology = await services.terminology();
  const { header, compose } = await askedFor(services, context, request, parameters, terminology);
  const filter = parameterOf(parameters, 'filter');
  const offset = numberOf(parameters, 'offset') ?? 0;
  const count = numberOf(parameters, 'count');
  const all = expand(terminology, compose).filter((one) => filter === undefined || contains(one, filter));
  const shown = all.slice(offset, count === undefined ? undefined : offset + count);
  const expansion = {
    identifier: `urn:uuid:${randomUUID()}`,
    timestamp: new Date(context.instant).toISOString(),
    total: all.length,
    offset,
    ...(shown.length === 0 ? {} : { contains: shown.map(codingOf) }),
  };
  return { status: 200, body: JSON.stringify({ resourceType: 'ValueSet', ...header, expansion }) };
}

function contains({ code, display = '' }: ExpandedCode, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return code.toLowerCase().includes(wanted) || display.toLowerCase().includes(wanted);
}

function codingOf({ system, code, display }: ExpandedCode): Coding {
  return { system, code, ...(display === undefined || display === '' ? {} : { display }) };
}

function numberOf(parameters: OperationParameters, name: string): number | undefined {
  const text = parameterOf(parameters, name);
  const value = text === '0' ? 0 : text === undefined ? undefined : parseVersion(text);
  if (text === undefined || value !== undefined) return value;
  throw invalid(`${name} must be a whole number`, name);
}

/** @throws MedSealError `not-found` */
async function askedFor(
  services: Services,
  context: RequestContext,
  { id }: OperationRequest,
  parameters: OperationParameters,
  terminology: PackagedTerminology,
): Promise<Asked> {
  requireScope(context, 'ValueSet', 'r');
  if (id !== '') {
    const { resource } = await services.reader.read(context, 'ValueSet', id);
    return ofResource(resource as ValueSet);
  }
  const sent = parameters.values.get('valueSet');
  if (sent !== undefined) {
    const { resourceType } = sent as { readonly resourceType?: unknown };
    const issues = services.validator.validate(sent, 'valueSet');
    if (resourceType !== 'ValueSet' || issues.length > 0) {
      throw new MedSealError('invalid-parameter', 'The parameter valueSet is no valid ValueSet', { issues });
    }
    return ofResource(sent as ValueSet);
  }
  const url = parameterOf(parameters, 'url');
  if (url === undefined) throw invalid('A url or a valueSet is needed', 'url');
  const known = terminology.valueSet(withoutVersion(url));
  const [, version = known?.version] = url.split('|');
  if (known === undefined || version !== known.version) {
    throw new MedSealError('not-found', 'This server does not have the value set', { expression: 'url' });
  }
  const header = { url: withoutVersion(url), ...(version === undefined ? {} : { version }) };
  return { header: { ...header, status: known.status as NonNullable<ValueSet['status']> }, compose: known };
}

function ofResource({ url, version, status, compose }: ValueSet): Asked {
  if (compose === undefined) {
    throw new MedSealError('terminology-not-available', 'The value set does not say what it is made of');
  }
  const header = { ...(url === undefined ? {} : { url }), ...(version === undefined ? {} : { version }), status };
  return { header, compose: compositionOf(compose) };
}

/** http://hl7.org/fhir/R4/valueset-operation-validate-code.html */
export async function validateInValueSet(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  const parameters = readParameters(request);
  requireKnown(parameters, VALIDATE_IN_SET);
  const terminology = await services.terminology();
  const { compose } = await askedFor(services, context, request, parameters, terminology);
  const known = new Map(expand(terminology, compose).map((one) => [keyOf(one), one]));
  return judge(parameters, (system, code) =>
    system === undefined ? [...known.values()].find((one) => one.code === code) : known.get(keyOf({ system, code })),
  );
}

/** http://hl7.org/fhir/R4/codesystem-operation-validate-code.html, of packaged code systems */
export async function validateInCodeSystem(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  requireScope(context, 'CodeSystem', 'r');
  const parameters = readParameters(request);
  requireKnown(parameters, VALIDATE_IN_SYSTEM);
  const [first] = codingsOf(parameters);
  const url = withoutVersion(parameterOf(parameters, 'url') ?? first?.system ?? '');
  if (url === '') throw invalid('A url is needed', 'url');
  const content = (await services.terminology()).codeSystem(url);
  if (content === undefined) {
    throw new MedSealError('not-found', 'This server does not have the code system', { expression: 'url' });
  }
  if (!content.complete) {
    throw new MedSealError('terminology-not-available', 'Only a part of the code system is packaged here');
  }
  const displays = displaysOf(content);
  return judge(parameters, (system = url, code) =>
    system === url && displays.has(code) ? { system, code, display: displays.get(code) } : undefined,
  );
}

/** What is asked about: `code` with `system`, a `coding`, or any of a `codeableConcept`'s. */
function codingsOf({ pairs, values }: OperationParameters): readonly Coding[] {
  const code = parameterOf({ pairs }, 'code');
  if (code !== undefined) {
    const [system, display] = [parameterOf({ pairs }, 'system'), parameterOf({ pairs }, 'display')];
    return [{ code, ...(system === undefined ? {} : { system }), ...(display === undefined ? {} : { display }) }];
  }
  const concept = values.get('codeableConcept') as CodeableConcept | undefined;
  const coding = values.get('coding') as Coding | undefined;
  const codings = coding === undefined ? concept?.coding : [coding];
  if (!Array.isArray(codings) || codings.length === 0)
    throw invalid('A code, coding or codeableConcept is needed', 'code');
  if (!codings.every(isCoding)) throw invalid('A Coding has a system, a code and a display, each as text', 'coding');
  return codings;
}

/** Parameters are not validated. */
function isCoding(value: unknown): value is Coding {
  if (typeof value !== 'object' || value === null) return false;
  const { system, code, display } = value as Readonly<Record<string, unknown>>;
  return [system, code, display].every((text) => text === undefined || typeof text === 'string');
}

function judge(
  parameters: OperationParameters,
  find: (system: string | undefined, code: string) => ExpandedCode | undefined,
): InteractionResult {
  const found = codingsOf(parameters).map((coding) => ({ coding, known: find(coding.system, coding.code ?? '') }));
  const match = found.find(({ known }) => known !== undefined);
  const display = match?.known?.display;
  const given = match?.coding.display;
  const isWrong = given !== undefined && display !== undefined && given.toLowerCase() !== display.toLowerCase();
  const message = match === undefined ? 'The code is not one of these' : isWrong ? 'The display is another' : undefined;
  const parameter = [
    { name: 'result', valueBoolean: message === undefined },
    ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
    ...(display === undefined || display === '' ? [] : [{ name: 'display', valueString: display }]),
  ];
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}
