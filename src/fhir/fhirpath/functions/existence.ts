import { distinct, keyOf } from '../equality.ts';
import { booleans, type Collection, FALSE, integers, TRUE, truth } from '../node.ts';
import { asBoolean, asInput, asInteger, eager, type FunctionTable, forEachItem, lambda } from './spec.ts';

function some(input: Collection, decide: (value: boolean | undefined) => boolean): boolean {
  return input.some((item) => decide(truth([item])));
}

function isSubset(part: Collection, whole: Collection): boolean {
  const keys = new Set(whole.map(keyOf));
  return part.every((item) => keys.has(keyOf(item)));
}

/** https://hl7.org/fhirpath/N1/#existence */
export const EXISTENCE: FunctionTable = [
  ['empty', eager(0, asBoolean, (input) => booleans(input.length === 0))],
  ['not', eager(0, asBoolean, (input) => booleans(negated(truth(input))))],
  [
    'exists',
    lambda([0, 1], asBoolean, (input, [criteria], env) => {
      if (criteria === undefined) return booleans(input.length > 0);
      let found = false;
      forEachItem(input, criteria, env, (result) => {
        found = truth(result) === true;
        return !found;
      });
      return booleans(found);
    }),
  ],
  [
    'all',
    lambda(1, asBoolean, (input, [criteria], env) => {
      let holds = true;
      if (criteria !== undefined) {
        forEachItem(input, criteria, env, (result) => {
          holds = truth(result) === true;
          return holds;
        });
      }
      return booleans(holds);
    }),
  ],
  ['allTrue', eager(0, asBoolean, (input) => booleans(!some(input, (value) => value !== true)))],
  ['anyTrue', eager(0, asBoolean, (input) => booleans(some(input, (value) => value === true)))],
  ['allFalse', eager(0, asBoolean, (input) => booleans(!some(input, (value) => value !== false)))],
  ['anyFalse', eager(0, asBoolean, (input) => booleans(some(input, (value) => value === false)))],
  ['subsetOf', eager(1, asBoolean, (input, [other = []]) => booleans(isSubset(input, other)))],
  ['supersetOf', eager(1, asBoolean, (input, [other = []]) => booleans(isSubset(other, input)))],
  ['count', eager(0, asInteger, (input) => integers(input.length))],
  ['distinct', eager(0, asInput, distinct)],
  ['isDistinct', eager(0, asBoolean, (input) => (distinct(input).length === input.length ? TRUE : FALSE))],
];

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}
