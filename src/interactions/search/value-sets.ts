import { MedSealError } from '../../errors.ts';
import type { Criterion as SearchCriterion, SearchQuery } from '../../fhir/search/query.ts';
import { expand, withoutVersion } from '../../fhir/terminology/expansion.ts';
import type { ValueSetCodes } from '../../repository/search-index.ts';
import type { Services } from '../services.ts';

/** Each is a token of the question; larger sets are those of whole code systems. */
const MAX_CODES = 5000;

/**
 * The codes of every value set that a search names by `:in` or `:not-in` (http://hl7.org/fhir/R4/search.html#token), from
 * those that are packaged. Nothing is loaded for a search that names none.
 *
 * @throws MedSealError `search-not-supported`, `too-costly`
 */
export async function findValueSets(
  services: Pick<Services, 'terminology'>,
  { branches }: SearchQuery,
): Promise<ValueSetCodes> {
  const named = new Map<string, string>();
  const visit = (criterion: SearchCriterion): void => {
    if (criterion.kind === 'has') visit(criterion.criterion);
    if (criterion.kind === 'chain') for (const target of criterion.targets) visit(target.criterion);
    if (criterion.kind !== 'match') return;
    const { operands, parameter, modifier } = criterion;
    for (const operand of operands) {
      if (operand.kind === 'value-set') named.set(operand.url, `${parameter.code}:${modifier}`);
    }
  };
  for (const { criteria } of branches) criteria.forEach(visit);
  if (named.size === 0) return new Map();
  const terminology = await services.terminology();
  return new Map(
    [...named].map(([url, expression]) => {
      const compose = terminology.valueSet(withoutVersion(url));
      const [, version = compose?.version] = url.split('|');
      if (compose === undefined || version !== compose.version) throw unknownSet(expression);
      const codes = codesOf(() => expand(terminology, compose), expression);
      if (codes.length > MAX_CODES) {
        throw new MedSealError('too-costly', `The value set has more than ${MAX_CODES} codes`, { expression });
      }
      return [url, codes];
    }),
  );
}

function codesOf<T>(run: () => T, expression: string): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof MedSealError) || cause.code !== 'terminology-not-available') throw cause;
    throw new MedSealError('search-not-supported', cause.message, { cause, expression });
  }
}

function unknownSet(expression: string): MedSealError {
  return new MedSealError('search-not-supported', 'This server does not have the value set', { expression });
}
