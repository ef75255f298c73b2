import { mutantsOf } from './mutant.ts';

const PATCH = 'src/fhir/json/patch.ts';
const NEGOTIATION = 'src/api/negotiation.ts';

/** http://hl7.org/fhir/R4/http.html#patch */
export const PATCHING = mutantsOf(
  ['patch'],
  [
    [
      'patch-add-replaces-items',
      'add to a list takes the place of the item that is there',
      PATCH,
      'index : fail(NOT_THERE), 0, value)',
      'index : fail(NOT_THERE), 1, value)',
    ],
    [
      'patch-add-needs-what-is-there',
      'add of an element that is not there fails',
      PATCH,
      "if (op === 'add') target().add(",
      "if (op === 'add') target().replace(",
    ],
    [
      'patch-append-before-the-last',
      'add at - puts the item before the last one',
      PATCH,
      "name === '-' ? parent.length :",
      "name === '-' ? parent.length - 1 :",
    ],
    [
      'patch-add-beyond-the-end',
      'add to a list at any index appends',
      PATCH,
      'parent.splice(index <= parent.length ? index : fail(NOT_THERE), 0',
      'parent.splice(index, 0',
    ],
    [
      'patch-remove-leaves-null',
      'remove leaves null in place of an element',
      PATCH,
      'delete parent[name];',
      'parent[name] = null;',
    ],
    [
      'patch-of-any-type',
      'a patch is read whatever its Content-Type says',
      NEGOTIATION,
      'if (allowed.has(type) && isUtf8',
      "if ((kind === 'patch' || allowed.has(type)) && isUtf8",
    ],
  ],
);
