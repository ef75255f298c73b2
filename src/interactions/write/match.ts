import { MedSealError } from '../../errors.ts';
import { parseSearch } from '../../fhir/search/query.ts';
import type { Criterion } from '../../repository/criteria.ts';
import type { Institution } from '../../repository/institutions.ts';
import type { Match } from '../../repository/own-partition.ts';
import { translate } from '../../repository/search-criteria.ts';
import type { Guard } from '../../repository/write.ts';
import { queryText, type SearchPairs } from '../query-text.ts';
import type { Services } from '../services.ts';

export type MatchServices = Pick<Services, 'own' | 'custom' | 'tokenizer' | 'sourcesOf' | 'names'>;

/** A condition over the institution's own partition (http://hl7.org/fhir/R4/http.html#cond-update). */
export interface Condition {
  readonly type: string;
  readonly criterion: Criterion;
  /** The same text for the same condition, whoever asks. */
  readonly text: string;
}

/** @throws MedSealError as parseSearch does, and `invalid-parameter` for a condition that selects nothing in particular */
export function parseCondition(
  services: MatchServices,
  institution: Institution,
  type: string,
  pairs: SearchPairs,
  expression: string,
): Condition {
  const registry = services.custom.searched(institution.name);
  const query = parseSearch(type, pairs, registry, { handling: 'strict', now: undefined });
  const criteria = query.branches[0]?.criteria ?? [];
  if (criteria.length === 0) {
    throw new MedSealError('invalid-parameter', 'A condition needs at least one search parameter', { expression });
  }
  const of = criteria.map((one) => {
    const question = translate(one, { ...services, registry, institutions: [institution.name], type });
    if (question.exact) return question.criterion;
    throw new MedSealError('search-not-supported', 'A condition must be one that the index answers exactly', {
      expression,
    });
  });
  return {
    type,
    criterion: { kind: 'all', of },
    text: queryText(pairs),
  };
}

/** At most one match. @throws MedSealError `multiple-matches` */
export async function findOnly(
  services: MatchServices,
  institution: Institution,
  condition: Condition,
  expression: string,
): Promise<Match | undefined> {
  const [only, another] = await services.own.match(institution, condition.type, condition.criterion, 2);
  if (another === undefined) return only;
  throw new MedSealError('multiple-matches', 'More than one resource meets the condition', { expression });
}

/** Holds as long as nothing meets the condition; those who create under the same condition wait for each other. */
export function nothingMeets(services: MatchServices, institution: Institution, condition: Condition): Guard {
  const { type, criterion, text } = condition;
  return {
    lock: services.tokenizer.token('condition', `${institution.name}/${type}?${text}`),
    holds: async (sql) => !(await services.own.matches(sql, institution, type, criterion)),
  };
}
