import { mutantsOf } from './mutant.ts';

const SEARCH = 'src/interactions/search/search.ts';
const ENTRIES = 'src/interactions/search/entries.ts';
const CONTROL = 'src/fhir/search/query/control.ts';
const SUBSET = 'src/fhir/search/subset.ts';
const SEARCH_CRITERIA = 'src/repository/search-criteria.ts';
const TARGET = 'src/interactions/search/target.ts';
const CRITERIA = 'src/fhir/search/query/criteria.ts';

/** http://hl7.org/fhir/R4/search.html#return */
export const RESULTS = mutantsOf(
  ['search results', 'parts of resources', 'search contexts'],
  [
    [
      'searchset-without-total',
      'a searchset has no total',
      SEARCH,
      '...(total === undefined ? {} : { total })',
      '...{}',
    ],
    [
      'searchset-without-next',
      'a page has no link to the next',
      SEARCH,
      'if (page.next !== undefined) {',
      'if (page.next === null) {',
    ],
    [
      'searchset-self-forgets-the-query',
      'the self link does not tell what was asked',
      SEARCH,
      "text === '' ? url :",
      "text !== '?' ? url :",
    ],
    [
      'replaced-versions-are-found',
      'a search finds what replaced versions had',
      'src/repository/write-statements.ts',
      'tokens = excluded.tokens, traits',
      'tokens = c.tokens || excluded.tokens, traits',
      ['search results'],
    ],
    [
      'sort-puts-the-missing-first',
      'what lacks the sorted value comes first',
      'src/interactions/search/page-by-sort-keys.ts',
      'if (left === null) return right === null ? 0 : 1;\n  if (right === null) return -1;',
      'if (left === null) return right === null ? 0 : -1;\n  if (right === null) return 1;',
      ['search results'],
    ],
    [
      'counts-are-no-searchsets',
      '_summary=count answers a collection',
      SEARCH,
      "bundleText({ type: 'searchset', total, link: selfLink(), entry: [] })",
      "bundleText({ type: 'collection', total, link: selfLink(), entry: [] })",
      ['search results'],
    ],
    [
      'cursor-of-any-client',
      'a cursor opens for whoever has it',
      'src/interactions/search/cursor.ts',
      'JSON.stringify([purpose, clientId, user ?? null, patient ?? null])',
      'JSON.stringify([purpose])',
      ['search results'],
    ],
    [
      'cursor-of-any-search',
      'a cursor opens for another search',
      'src/interactions/search/cursor.ts',
      'JSON.stringify([purpose, clientId,',
      'JSON.stringify([clientId,',
      ['search results'],
    ],
    [
      'pages-skip-one',
      'a page ends one match before the next begins',
      'src/interactions/search/page-by-change.ts',
      'records.slice(0, count), next: positionOf(records[count - 1]?.row)',
      'records.slice(0, count), next: positionOf(records[count]?.row)',
      ['search results'],
    ],
    [
      'pages-of-a-superset-are-short',
      'what is left out after opening is missing from the page',
      'src/interactions/search/page-by-change.ts',
      'if (!more || last === undefined) return',
      'if (!more || last === undefined || records.length > 0) return',
      ['search results'],
    ],
    [
      'large-pages-lose-their-end',
      'a page that is full by its size is the last',
      'src/interactions/search/page-by-change.ts',
      'if (full !== undefined) return { records, next: positionOf(full) };',
      'if (full !== undefined) return { records, next: undefined };',
      ['search results'],
    ],
    [
      'sort-pages-lose-ties',
      'pages of a sorted search lose what ties',
      'src/interactions/search/page-by-sort-keys.ts',
      'return Number(BigInt(a.row) - BigInt(b.row));',
      'return 0;',
      ['search results'],
    ],
    [
      'pages-over-types-skip',
      'pages over several types leave some out',
      'src/interactions/search/page-by-change.ts',
      'const known = end === undefined ? rows : rows.filter((row) => compare(row, end) <= 0);',
      'const known = rows;',
      ['search contexts'],
    ],
  ],
);

/** http://hl7.org/fhir/R4/search.html#include, #revinclude */
export const INCLUDES = mutantsOf(
  ['_include', '_revinclude', 'searches that are refused'],
  [
    [
      'include-left-out',
      '_include and _revinclude add nothing',
      SEARCH,
      'await includedBy(services, context, base, query.control, page.records)',
      '[]',
    ],
    [
      'included-as-matches',
      'what was included is told as a match',
      ENTRIES,
      "mode: isMatch ? 'match' : 'include'",
      "mode: 'match'",
    ],
    [
      'revinclude-left-out',
      '_revinclude adds nothing',
      CONTROL,
      "name === '_include' ? draft.include : draft.revinclude;",
      "name === '_include' ? draft.include : [];",
    ],
    [
      'include-any-target',
      'the target type of an include is passed over',
      'src/interactions/search/include.ts',
      '(include.target ?? type) === type',
      'type !== undefined',
      ['_include'],
    ],
    [
      'include-always-iterates',
      'what was included leads on without :iterate',
      'src/interactions/search/include.ts',
      'round === 0 || one.iterate',
      'one !== undefined',
      ['_include'],
    ],
    [
      'include-star-takes-none',
      '* stands for no reference',
      'src/interactions/search/include.ts',
      ".filter((one) => one.type === 'reference')",
      ".filter((one) => one.type === 'token')",
      ['_include'],
    ],
    [
      'include-of-anything',
      'an include may name what is no reference',
      CONTROL,
      "if (code !== '*' && parameter?.type !== 'reference') {",
      "if (code === '') {",
      ['_include'],
    ],
  ],
);

/** http://hl7.org/fhir/R4/search.html#summary, #elements */
export const PARTS = mutantsOf(
  ['parts of resources'],
  [
    ['parts-not-tagged', 'a part is not tagged as such', SUBSET, 'tag: [...tags, SUBSETTED]', 'tag: tags'],
    [
      'parts-lose-their-tags',
      'a part loses the tags of the whole',
      SUBSET,
      'tag: [...tags, SUBSETTED]',
      'tag: [SUBSETTED]',
    ],
    [
      'summary-is-everything',
      '_summary=true brings every element',
      SUBSET,
      "if (name === 'resourceType' || element?.summary === true)",
      "if (name !== '')",
    ],
    [
      'summary-text-is-narrative-only',
      '_summary=text lacks the identity',
      SUBSET,
      "new Set(['resourceType', 'id', 'meta'])",
      "new Set(['resourceType'])",
    ],
    [
      'parts-in-one-page',
      '_count does not apply to parts of resources',
      'src/interactions/search/prepare.ts',
      'count: Math.min(control.count ?? DEFAULT_COUNT, MAX_COUNT),',
      "count: control.summary === 'true' ? MAX_COUNT : Math.min(control.count ?? DEFAULT_COUNT, MAX_COUNT),",
    ],
  ],
);

/** http://hl7.org/fhir/R4/search.html#list, #searchcontexts */
export const CONTEXTS = mutantsOf(
  ['search contexts', '$everything and $lastn'],
  [
    [
      'list-takes-one',
      '_list takes the first of several lists',
      SEARCH_CRITERIA,
      'lists.map((code) => ({',
      'lists.slice(0, 1).map((code) => ({',
    ],
    [
      'list-by-name-is-empty',
      'a list by name is an empty one',
      SEARCH_CRITERIA,
      "lists.some((name) => name.startsWith('$'))",
      'lists.length > 99',
    ],
    [
      'compartment-ignored',
      'a search in a compartment finds what is outside',
      TARGET,
      'if (compartment === undefined || of === undefined) return [];',
      'if (compartment !== null || of === undefined) return [];',
      ['search contexts'],
    ],
    [
      'search-of-everything',
      'a search over all types needs nothing to go by',
      'src/interactions/search/prepare.ts',
      "if (isSelective({ kind: 'all', of }, new Set())) return;",
      'if (of !== undefined) return;',
      ['search contexts'],
    ],
  ],
);

/** http://hl7.org/fhir/R4/search.html#chaining, #has */
export const CHAINS = mutantsOf(
  ['chains', 'search by reference', 'search modifiers'],
  [
    [
      'chains-of-exact-parameters-only',
      'at the end of a chain only what the index answers can be asked',
      SEARCH_CRITERIA,
      'if (known !== undefined) return known;',
      '',
    ],
    [
      'chain-of-a-code-unknown',
      'a chain over what is no reference is told as an unknown parameter',
      CRITERIA,
      "if (parameter.type !== 'reference') throw parameterError(context.name, 'only",
      "if (parameter.type !== 'reference') return undefined;\n  if (rest === '') throw parameterError(context.name, 'only",
    ],
    [
      'chains-end-nowhere',
      'a chain of several steps finds nothing',
      'src/interactions/search/hops.ts',
      'rows.map(({ idToken }) => idToken)',
      '[]',
      ['chains'],
    ],
    [
      'chains-of-which-one-counts',
      'of several chains only the first counts',
      'src/fhir/search/query.ts',
      '  return { type, criteria };',
      "  const first = criteria.findIndex(({ kind }) => kind === 'chain');\n  return { type, criteria: criteria.filter(({ kind }, at) => kind !== 'chain' || at === first) };",
      ['chains'],
    ],
  ],
);
