import { MedSealError } from '../../errors.ts';
import { decimalText } from '../../fhir/json/decimals.ts';
import type { SearchPairs } from '../query-text.ts';
import type { VersionMatch } from '../write/entry.ts';
import type { IdempotentRequest } from '../write/replay.ts';

/** A request for an operation, apart from HTTP. */
export interface OperationRequest {
  readonly type: string;
  readonly id: string;
  /** Of the URL. */
  readonly pairs: SearchPairs;
  /** Parsed JSON; undefined for a GET. */
  readonly body: unknown;
  readonly handling: 'strict' | 'lenient';
  readonly ifMatch: VersionMatch | undefined;
  readonly idempotent: IdempotentRequest | undefined;
}

/** What an operation is given (http://hl7.org/fhir/R4/operations.html#request). */
export interface OperationParameters {
  /** Those with a primitive value, as text: of the URL, then of the body. */
  readonly pairs: SearchPairs;
  /** `resource` and complex values of the body, by name. */
  readonly values: ReadonlyMap<string, unknown>;
}

interface PostedParameter {
  readonly name?: unknown;
  readonly resource?: unknown;
  readonly [member: string]: unknown;
}

/** @throws MedSealError `invalid-parameter` for a body that is no Parameters */
export function readParameters({ pairs, body }: Pick<OperationRequest, 'pairs' | 'body'>): OperationParameters {
  if (body === undefined) return { pairs, values: new Map() };
  const { resourceType, parameter = [] } = (body ?? {}) as {
    readonly resourceType?: unknown;
    readonly parameter?: unknown;
  };
  if (resourceType !== 'Parameters' || !Array.isArray(parameter))
    throw invalid('The body must be Parameters', 'Parameters');
  const posted: (readonly [string, string])[] = [];
  const values = new Map<string, unknown>();
  for (const [index, one] of (parameter as readonly PostedParameter[]).entries()) {
    const place = `Parameters.parameter[${index}]`;
    const name = one?.name;
    if (typeof name !== 'string') throw invalid('A parameter needs a name', `${place}.name`);
    const value = one.resource ?? choiceOf(one);
    const text = textOf(value);
    if (text !== undefined) posted.push([name, text]);
    else if (value !== undefined) values.set(name, value);
  }
  return { pairs: [...pairs, ...posted], values };
}

function choiceOf(parameter: PostedParameter): unknown {
  const member = Object.keys(parameter).find((key) => /^value[A-Z]/.test(key));
  return member === undefined ? undefined : parameter[member];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : decimalText(value);
}

/** @throws MedSealError `unknown-parameter`: what is not known would change the answer */
export function requireKnown({ pairs, values }: OperationParameters, known: ReadonlySet<string>): void {
  const unknown = [...pairs.map(([name]) => name), ...values.keys()].find(
    (name) => !known.has(name) && name !== '_format' && name !== '_pretty',
  );
  if (unknown === undefined) return;
  const expression = /^_?[A-Za-z-]{1,32}$/.test(unknown) ? unknown : 'Parameters';
  throw new MedSealError('unknown-parameter', 'This operation does not have this parameter', { expression });
}

export function parameterOf({ pairs }: Pick<OperationParameters, 'pairs'>, name: string): string | undefined {
  return pairs.find(([key]) => key === name)?.[1];
}

export function invalid(message: string, expression: string): MedSealError {
  return new MedSealError('invalid-parameter', message, { expression });
}
