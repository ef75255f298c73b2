import { MedSealError } from '../../errors.ts';
import type { Criterion, Operand } from '../../fhir/search/query.ts';
import type { SearchValue } from '../../fhir/search/values.ts';
import type { Names } from '../../repository/names.ts';

/** What the trail is not indexed by and is decided after opening: who, what, with what outcome. */
const CODES: readonly string[] = ['agent', 'entity', 'outcome', 'action', 'subtype', 'type', 'source'];

/** What the trail's own columns answer. */
const COLUMNS: readonly string[] = ['patient', 'date', '_id'];

/** Everything that the trail is searched by. */
export const TRAIL_PARAMETERS: ReadonlySet<string> = new Set([...COLUMNS, ...CODES]);

/** Whether an AuditEvent is one that is asked for. */
export type EventFilter = (event: object) => boolean;

/**
 * @param institution against whose base relative references are read; undefined at the union
 * @returns undefined for a criterion that the trail's own columns answer
 * @throws MedSealError `search-not-supported`
 */
export function eventFilter(
  criterion: Criterion,
  names: Names,
  institution: string | undefined,
): EventFilter | undefined {
  const name = 'parameter' in criterion ? criterion.parameter.code : criterion.kind;
  if (criterion.kind !== 'match') throw unsupported(name);
  const { parameter, operands, modifier } = criterion;
  if (modifier === undefined && COLUMNS.includes(name)) return undefined;
  if (!CODES.includes(name) || (modifier !== undefined && modifier !== 'not' && modifier !== 'identifier')) {
    throw unsupported(name);
  }
  const isFound = (event: object): boolean => {
    const values = parameter.values(event);
    return operands.some((operand) => values.some((value) => matches(operand, value, names, institution)));
  };
  return modifier === 'not' ? (event) => !isFound(event) : isFound;
}

function matches(operand: Operand, value: SearchValue, names: Names, institution: string | undefined): boolean {
  if (operand.kind === 'token') return matchesToken(operand, value);
  if (operand.kind !== 'reference' || value.kind !== 'reference' || value.reference === undefined) return false;
  const name = names.nameOf(value.reference, institution ?? '');
  if (name === undefined) return false;
  const [, type = '', id = ''] = name.split('/');
  if (operand.id !== undefined)
    return id === operand.id && (operand.types.length === 0 || operand.types.includes(type));
  return operand.reference !== undefined && names.nameOf(operand.reference, institution ?? '') === name;
}

function matchesToken({ system, code }: Extract<Operand, { kind: 'token' }>, value: SearchValue): boolean {
  const told = value.kind === 'reference' ? value.identifier : value.kind === 'token' ? value : undefined;
  if (told === undefined) return false;
  return (system === undefined || (told.system ?? null) === system) && (code === undefined || told.code === code);
}

function unsupported(name: string): MedSealError {
  return new MedSealError('search-not-supported', `The access trail is not searched by ${name} in this form`, {
    expression: name,
  });
}
