import { mutantsOf } from './mutant.ts';

const PARAMETERS = 'src/interactions/operations/parameters.ts';
const TABLE_OPERATIONS = 'src/api/table-operations.ts';
const KNOWN_TYPE = 'src/api/known-type.ts';
const META = 'src/interactions/operations/meta.ts';
const EVERYTHING = 'src/interactions/operations/everything.ts';
const LAST_N = 'src/interactions/operations/last-n.ts';
const KEYWORDS = 'src/fhir/validation/keywords.ts';
const PRIMITIVES = 'src/fhir/validation/primitives.ts';
const VALIDATE = 'src/interactions/operations/validate.ts';
const SCHEMA = 'src/fhir/validation/schema.ts';
const TERMINOLOGY = 'src/interactions/operations/terminology.ts';

/** http://hl7.org/fhir/R4/operations.html */
export const OPERATING = mutantsOf(
  ['operations', '$everything and $lastn', '$validate', 'terminology'],
  [
    [
      'operations-pass-over-parameters',
      'a parameter that an operation does not have is passed over',
      PARAMETERS,
      'if (unknown === undefined) return;',
      'if (unknown !== null) return;',
    ],
    [
      'operations-of-any-type',
      'an operation can be called on types that do not have it',
      TABLE_OPERATIONS,
      "level === 'system' || isOperationOf(one.operation, knownType(input.type))",
      'one !== undefined',
    ],
    [
      'operations-that-are-not-there',
      'an operation that is not there answers nothing',
      KNOWN_TYPE,
      "throw new MedSealError('not-supported', 'There is no such operation');",
      "throw new MedSealError('invalid-parameter', 'There is no such operation');",
      ['operations'],
    ],
    [
      'types-that-are-not-there',
      'a type that is not there is one without records',
      KNOWN_TYPE,
      "throw new MedSealError('not-supported', 'There is no such resource type or operation');",
      'return type;',
      ['operations'],
    ],
  ],
);

/** http://hl7.org/fhir/R4/resource-operation-meta.html and its kin */
export const METAS = mutantsOf(
  ['operations'],
  [
    [
      'meta-changes-nothing',
      '$meta-add and $meta-delete change nothing',
      META,
      'patch: (content) => withMeta(',
      'patch: (content) => content ?? withMeta(',
    ],
    [
      'meta-of-an-instance-empty',
      '$meta of an instance tells nothing',
      META,
      'answer(resource?.meta ?? {})',
      'answer({})',
    ],
    ['meta-of-a-type-without-tags', '$meta of a type does not tell tags', META, 'tag: inOrder(this.#tags),', ''],
    [
      'meta-add-of-nothing',
      '$meta-add without a meta changes nothing',
      META,
      "throw invalid('A parameter meta with a valueMeta is needed', 'meta');",
      'return { ...answer({}) };',
    ],
  ],
);

/** http://hl7.org/fhir/R4/patient-operation-everything.html, observation-operation-lastn.html */
export const WHOLE_RECORDS = mutantsOf(
  ['$everything and $lastn'],
  [
    [
      'everything-without-the-patient',
      '$everything lacks the Patient',
      EVERYTHING,
      'isAsked(patient, asked) ? [patient] : []',
      '[]',
    ],
    [
      'everything-without-what-is-referred-to',
      '$everything lacks what the records refer to',
      EVERYTHING,
      'entriesOf(services, WHOLE, matches, supporting)',
      'entriesOf(services, WHOLE, matches, [])',
    ],
    [
      'everything-of-all-types',
      '$everything passes over _type',
      EVERYTHING,
      "parameterOf(parameters, '_type')?.split(',')",
      'undefined as string[] | undefined',
    ],
    [
      'everything-since-ever',
      '$everything passes over _since',
      EVERYTHING,
      "const since = parameterOf(parameters, '_since');",
      'const since = undefined;',
    ],
    [
      'lastn-of-anything',
      '$lastn needs neither a patient nor a code',
      LAST_N,
      'requireSelection(pairs.map(',
      'void (pairs.map(',
    ],
    [
      'lastn-takes-the-first',
      '$lastn keeps what took effect first',
      LAST_N,
      'group.sort((a, b) => b.at - a.at);',
      'group.sort((a, b) => a.at - b.at);',
    ],
  ],
);

/** http://hl7.org/fhir/R4/resource-operation-validate.html */
export const VALIDATION = mutantsOf(
  ['$validate'],
  [
    [
      'primitives-of-any-kind',
      'a primitive may be anything',
      KEYWORDS,
      'cxt.pass(nullable ?',
      'cxt.pass(nullable !== undefined ? _`true` : nullable ?',
    ],
    [
      'formats-of-texts-ignored',
      'a text of any form is a date, an id, a URI',
      PRIMITIVES,
      "accepts: (value) => typeof value === 'string' && accepts(value) }",
      "accepts: (value) => typeof value === 'string' }",
    ],
    [
      'validate-says-nothing-of-valid',
      'of what is valid nothing is told',
      VALIDATE,
      'isValid ? [...found, issueOf(VALID)] : found',
      'found',
    ],
    [
      'validate-takes-no-parameters',
      'Parameters are validated as a resource',
      VALIDATE,
      "=== 'Parameters' && type !== 'Parameters'",
      "=== 'Parameters!' && type !== 'Parameters'",
    ],
    [
      'validate-mode-ignored',
      'the mode is passed over',
      VALIDATE,
      "const mode = parameterOf(parameters, 'mode');",
      'const mode = undefined as string | undefined;',
    ],
    [
      'validate-of-nothing',
      'where there is no resource it is valid',
      VALIDATE,
      "return answer([needed('There is no resource to validate')]);",
      'return answer([]);',
    ],
    [
      'validate-delete-of-a-type',
      'a type can be deleted',
      VALIDATE,
      "id === '' ? [needed('A deletion is of an instance')] : []",
      '[]',
    ],
    [
      'validate-any-type',
      'a resource of any type is validated',
      VALIDATE,
      'if (resourceType !== type) {',
      "if (resourceType === '') {",
    ],
    [
      'codes-of-any-kind',
      'codes of required bindings are not looked at',
      SCHEMA,
      "if (binding?.strength !== 'required' ||",
      "if (binding?.strength !== 'mandatory' ||",
    ],
    [
      'references-to-any-type',
      'the types that a reference may lead to are not looked at',
      SCHEMA,
      "return type !== 'Reference' ||",
      "return type !== 'Ref' ||",
    ],
  ],
);

/** http://hl7.org/fhir/R4/terminology-service.html */
export const TERMS = mutantsOf(
  ['terminology'],
  [
    [
      'validate-code-tells-no-result',
      '$validate-code does not tell its result',
      TERMINOLOGY,
      "{ name: 'result', valueBoolean:",
      "{ name: 'valid', valueBoolean:",
    ],
    [
      'expand-one-code-less',
      'an expansion lacks its last code',
      TERMINOLOGY,
      'all.slice(offset, count === undefined ? undefined : offset + count)',
      'all.slice(offset, count === undefined ? -1 : offset + count)',
    ],
    [
      'expand-total-of-the-page',
      'the total of an expansion is that of its page',
      TERMINOLOGY,
      'total: all.length,',
      'total: shown.length,',
    ],
    [
      'expand-filter-by-case',
      'the filter of an expansion minds the case',
      TERMINOLOGY,
      'const wanted = filter.toLowerCase();',
      'const wanted = filter;',
    ],
    [
      'expand-of-any-version',
      'any version of a value set is the one that is there',
      TERMINOLOGY,
      'if (known === undefined || version !== known.version) {',
      'if (known === undefined) {',
    ],
    [
      'validate-code-always-true',
      'every code is in the value set',
      TERMINOLOGY,
      'valueBoolean: message === undefined }',
      'valueBoolean: true }',
    ],
  ],
);
