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
  ],
);
