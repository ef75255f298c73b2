import { expressionError } from '../lexer.ts';
import { booleans, type Collection, EMPTY, integers, numberOf, singleton, strings, textOf } from '../node.ts';
import { asBoolean, asInteger, asString, eager, type FunctionSpec, type FunctionTable } from './spec.ts';

/** A function of the input's text and of the arguments' texts; empty when one of them is. */
function ofTexts(
  args: number,
  types: typeof asString,
  call: (text: string, ...args: readonly string[]) => Collection,
): FunctionSpec {
  return eager(args, types, (input, values) => {
    const text = textOf(input);
    const texts = values.map(textOf);
    if (text === undefined || texts.includes(undefined)) return EMPTY;
    return call(text, ...texts.filter((value) => value !== undefined));
  });
}

/** A part of a pattern may match anywhere, and `.` matches line breaks too. */
function pattern(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, `s${flags}`);
  } catch (cause) {
    throw expressionError(`Not a regular expression: ${cause instanceof Error ? cause.message : ''}`);
  }
}

function substring(input: Collection, [start = EMPTY, length]: readonly Collection[]): Collection {
  const text = textOf(input);
  const from = numberOf(singleton(start));
  if (text === undefined || from === undefined || from < 0 || from >= text.length) return EMPTY;
  const count = length === undefined ? undefined : numberOf(singleton(length));
  return strings(count === undefined ? text.slice(from) : text.slice(from, from + Math.max(0, count)));
}

/** https://hl7.org/fhirpath/N1/#string-manipulation */
export const TEXT: FunctionTable = [
  ['indexOf', ofTexts(1, asInteger, (text, part = '') => integers(text.indexOf(part)))],
  ['substring', eager([1, 2], asString, substring)],
  ['startsWith', ofTexts(1, asBoolean, (text, part = '') => booleans(text.startsWith(part)))],
  ['endsWith', ofTexts(1, asBoolean, (text, part = '') => booleans(text.endsWith(part)))],
  ['contains', ofTexts(1, asBoolean, (text, part = '') => booleans(text.includes(part)))],
  ['upper', ofTexts(0, asString, (text) => strings(text.toUpperCase()))],
  ['lower', ofTexts(0, asString, (text) => strings(text.toLowerCase()))],
  ['replace', ofTexts(2, asString, (text, part = '', by = '') => strings(text.split(part).join(by)))],
  ['matches', ofTexts(1, asBoolean, (text, source = '') => booleans(pattern(source, '').test(text)))],
  [
    'replaceMatches',
    ofTexts(2, asString, (text, source = '', by = '') => strings(text.replace(pattern(source, 'g'), by))),
  ],
  ['length', ofTexts(0, asInteger, (text) => integers(text.length))],
  ['toChars', ofTexts(0, asString, (text) => [...text].flatMap((character) => strings(character)))],
];
