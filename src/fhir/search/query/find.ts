import type { SearchParameter } from '../parameters.ts';
import type { SearchRegistry } from '../registry.ts';
import { parameterError } from './errors.ts';

/**
 * The parameter of a type by its code; undefined when there is none.
 *
 * @throws MedSealError `search-parameter-indexing` for a custom one that would find only a part yet
 */
export function findParameter(registry: SearchRegistry, type: string, code: string): SearchParameter | undefined {
  const found = registry.searchParametersOf(type).get(code);
  if (found !== undefined || !registry.isIndexing(type, code)) return found;
  throw parameterError(
    code,
    'what was there before it is still being indexed; $reindex-status tells how far that is',
    'search-parameter-indexing',
  );
}
