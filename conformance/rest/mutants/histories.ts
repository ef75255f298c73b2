import { mutantsOf } from './mutant.ts';

const PERMITTED = 'src/repository/permitted.ts';

/** http://hl7.org/fhir/R4/http.html#history */
export const HISTORIES = mutantsOf(
  ['history', 'delete', 'HTTP', 'batches'],
  [
    [
      'history-oldest-first',
      'a history begins with the oldest version',
      PERMITTED,
      'order by id desc limit',
      'order by id asc limit',
    ],
    [
      'history-since-ignored',
      '_since leaves nothing out',
      PERMITTED,
      'if (plan.since !== undefined) conditions',
      "if (plan.since === '') conditions",
    ],
    [
      'history-at-ignored',
      '_at leaves nothing out',
      PERMITTED,
      'if (plan.during !== undefined) {',
      "if (plan.during?.from === '') {",
    ],
    [
      'history-of-nothing-is-empty',
      'the history of what never was is an empty one',
      'src/interactions/history.ts',
      'if (id !== undefined && found.length === 0 &&',
      "if (id === '' && found.length === 0 &&",
      ['history'],
    ],
    [
      'history-has-one-page',
      'a history has no link to the next page',
      'src/interactions/history.ts',
      'if ((found.length > count || isFull) && last !== undefined) {',
      'if (isFull && last !== undefined) {',
      ['history'],
    ],
    [
      'history-pages-repeat',
      'the last entry of a page is the first of the next',
      'src/interactions/history.ts',
      'before: last.row.versionId.toString(), count',
      'before: (last.row.versionId + 1n).toString(), count',
      ['history'],
    ],
    [
      'history-tells-deletes-as-updates',
      'a deletion stands as a PUT in a history',
      'src/interactions/history.ts',
      "delete: 'DELETE' } as const",
      "delete: 'PUT' } as const",
      ['history'],
    ],
    [
      'history-self-forgets-parameters',
      'the self link of a history does not tell what was asked',
      'src/interactions/history.ts',
      "query === '' ? url :",
      "query !== '?' ? url :",
      ['history'],
    ],
    [
      'history-parameters-ignored',
      'what a history does not have is passed over',
      'src/interactions/history.ts',
      "if (unknown !== undefined && handling === 'strict') {",
      "if (unknown === '' && handling === 'strict') {",
      ['history'],
    ],
    [
      'history-count-ignored',
      'a page of a history has the default length',
      'src/interactions/history.ts',
      'Math.min(request.count ?? DEFAULT_COUNT, MAX_COUNT)',
      'DEFAULT_COUNT',
      ['history'],
    ],
    [
      'history-of-all-types',
      'the history of a type holds all types',
      'src/interactions/history.ts',
      '    institution: institution.id,\n    type,\n',
      '    institution: institution.id,\n    type: id === undefined ? undefined : type,\n',
      ['history'],
    ],
  ],
);
