import { mutantsOf } from './mutant.ts';

const CRITERIA = 'src/fhir/search/query/criteria.ts';
const SEARCH_CRITERIA = 'src/repository/search-criteria.ts';
const SEARCH_VALUES = 'src/repository/search-values.ts';
const FORMS = 'src/sealing/blind-index/forms.ts';
const TOKEN = 'src/fhir/search/conversions/token.ts';
const ESCAPES = 'src/fhir/search/query/escapes.ts';
const MATCH = 'src/fhir/search/match.ts';
const NUMBERS = 'src/fhir/search/numbers.ts';
const QUANTITIES = 'src/fhir/search/quantities.ts';

/** http://hl7.org/fhir/R4/search.html#ptypes, #modifiers */
export const BY_VALUES = mutantsOf(
  [
    'search by token',
    'search by string',
    'search by reference',
    'search by uri',
    'searches that are refused',
    'search modifiers',
    'delete',
  ],
  [
    [
      'modifiers-ignored',
      'modifiers are passed over',
      CRITERIA,
      '  return modifier;\n',
      '  return undefined;\n',
      ['search modifiers', 'search by token'],
    ],
    [
      'not-modifier-ignored',
      ':not finds what has the value',
      SEARCH_CRITERIA,
      "criterion: modifier === 'not' || modifier === 'not-in' ?",
      "criterion: modifier === 'not-in' ?",
    ],
    [
      'not-in-modifier-ignored',
      ':not-in finds what has one of the codes',
      SEARCH_CRITERIA,
      "criterion: modifier === 'not' || modifier === 'not-in' ?",
      "criterion: modifier === 'not' ?",
    ],
    [
      'missing-turned-round',
      ':missing=true finds what has a value',
      SEARCH_CRITERIA,
      'criterion: criterion.missing ?',
      'criterion: !criterion.missing ?',
    ],
    [
      'alternatives-must-all-hold',
      'values that are separated by commas must all be there',
      SEARCH_CRITERIA,
      "{ kind: 'any', of: questions.map((one) => one.criterion) }",
      "{ kind: 'all', of: questions.map((one) => one.criterion) }",
    ],
    [
      'token-system-ignored',
      'system|code finds the code in any system',
      SEARCH_VALUES,
      'some(options, parameter, [tokenForm(system, code)])',
      'some(options, parameter, [tokenForm(undefined, code)])',
    ],
    [
      'token-without-system-in-any',
      '|code finds the code in any system',
      SEARCH_VALUES,
      "some(options, parameter, [tokenForm(undefined, code)]), traits(options, parameter, [tokenForm('', code)])]",
      'some(options, parameter, [tokenForm(undefined, code)])]',
    ],
    [
      'token-of-a-system-not-found',
      'system| finds nothing',
      FORMS,
      'if (system !== undefined) return [systemForm(system), ...traits];',
      'if (system !== undefined) return traits;',
    ],
    [
      'booleans-not-indexed',
      'elements of type boolean are not found',
      TOKEN,
      "if (typeof value === 'boolean') pushToken",
      "if (typeof value === 'bigint') pushToken",
    ],
    [
      'escapes-not-read',
      'a separator that is escaped separates all the same',
      ESCAPES,
      "if (!text.includes('\\\\')) return text.split(separator);",
      'return text.split(separator);',
    ],
    [
      'of-type-ignores-the-value',
      ':of-type looks at another value than was asked',
      SEARCH_VALUES,
      "ofTypeForm(operand.system ?? '', operand.code, operand.value)",
      "ofTypeForm(operand.system ?? '', operand.value, operand.code)",
    ],
    [
      'strings-whole',
      'a string search finds whole values only',
      FORMS,
      'return { form: `prefix|',
      'if (text !== "") return { form: exactForm(text), exact: true };\n  return { form: `prefix|',
    ],
    [
      'absolute-references-apart',
      'a reference by a URL of this base is another than the relative one',
      'src/repository/names.ts',
      'return base === undefined ? undefined : name(base, reference.type, reference.id);',
      'return undefined;',
      ['search by reference'],
    ],
    [
      'id-takes-one-value',
      '_id takes the first of several ids',
      SEARCH_CRITERIA,
      'const types = type === undefined ? RESOURCE_TYPES : [type];\n',
      'const types = type === undefined ? RESOURCE_TYPES : [type];\n  wanted.splice(1);\n',
      ['search by token'],
    ],
    [
      'uri-with-slash',
      'a URI is found with a slash at its end too',
      SEARCH_VALUES,
      "if (modifier !== 'above') return some(options, parameter, [uriForm(text)]);",
      "if (modifier !== 'above') return some(options, parameter, [uriForm(text.replace(/\\/$/, ''))]);",
      ['search by uri'],
    ],
    [
      'canonical-by-version-only',
      'a canonical is not found without its version',
      FORMS,
      'return bar < 0 ? [uriForm(value)]',
      'return bar < 9999 ? [uriForm(value)]',
      ['search modifiers'],
    ],
    [
      'deletions-not-indexed',
      'the index keeps what was there before a deletion',
      'src/repository/write-statements.ts',
      '  where c.version < excluded.version\n',
      '  where c.version < excluded.version and not excluded.deleted\n',
      ['search by reference', 'search results', 'delete'],
    ],
    [
      'text-modifier-anywhere',
      ':text does not compare what it found',
      MATCH,
      'value.text !== undefined && matchesText(operand.text, value.text, undefined)',
      'value.text !== undefined',
      ['search modifiers'],
    ],
    [
      'above-is-below',
      ':above finds what is below',
      SEARCH_VALUES,
      "modifier === 'above' ? codeAndAncestors(system, code)",
      "modifier === 'over' ? codeAndAncestors(system, code)",
      ['search modifiers'],
    ],
    [
      'icd-by-category-only',
      'of an ICD-10 code only the category is above it',
      'src/fhir/terminology/code-hierarchy.ts',
      'return [...between.map(',
      'return [category];\n  return [...between.map(',
      ['search modifiers'],
    ],
    [
      'uri-below-any-prefix',
      'a URI is below whatever it begins with',
      'src/fhir/search/uris.ts',
      'const found = [whole];',
      'const found = Array.from(whole, (_, at) => whole.slice(0, whole.length - at));',
      ['search modifiers'],
    ],
  ],
);

/** http://hl7.org/fhir/R4/search.html#number, #quantity, #composite */
export const BY_NUMBERS = mutantsOf(
  ['search by number', 'search by quantity', 'search by composite', 'chains'],
  [
    [
      'number-precision-ignored',
      'a number finds exactly that number',
      NUMBERS,
      'const parts = exponent === undefined ? 2 : 20;',
      'const parts = 2e9;',
    ],
    ['number-gt-as-ge', 'gt finds what is equal', QUANTITIES, 'return to > value;', 'return to >= value;'],
    ['number-le-as-lt', 'le does not find what is equal', QUANTITIES, 'return from <= value;', 'return from < value;'],
    [
      'number-range-by-its-low-end',
      'a range counts as its low end',
      QUANTITIES,
      '[value.low, value.high] : [value.value, value.value]',
      '[value.low, value.low] : [value.value, value.value]',
      ['search by number'],
    ],
    [
      'quantity-comparator-ignored',
      'less than five counts as five',
      QUANTITIES,
      'const isOpen = value.kind',
      'const isOpen = false && value.kind',
      ['search by quantity'],
    ],
    [
      'combined-parameters-take-one',
      'a parameter over several elements looks at one',
      'src/sealing/blind-index/sources.ts',
      'return covered.size === new Set(parts).size ? found : undefined;',
      'return covered.size === new Set(parts).size ? found.slice(1) : undefined;',
      ['search by quantity'],
    ],
    [
      'composite-across-elements',
      'the parts of a composite may be of two elements',
      MATCH,
      'return operands.every((operand, index) =>',
      'return operands.some((operand, index) =>',
      ['search by composite'],
    ],
  ],
);
