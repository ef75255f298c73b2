import { mutantsOf } from './mutant.ts';

const KEYWORDS = 'src/fhir/validation/keywords.ts';
const PRIMITIVES = 'src/fhir/validation/primitives.ts';
const VALIDATE = 'src/interactions/operations/validate.ts';
const SCHEMA = 'src/fhir/validation/schema.ts';
const TERMINOLOGY = 'src/interactions/operations/terminology.ts';

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
    [
      'validate-any-id',
      'the id of an update is not looked at',
      VALIDATE,
      "const isUpdate = mode === 'update' ||",
      "const isUpdate = mode === 'updated' || type === '' &&",
    ],
    [
      'validate-only-the-structure',
      'invariants are not checked',
      'src/fhir/validation/strict.ts',
      '...loaded.invariants(resource, root), ',
      '',
    ],
    [
      'validate-without-profiles',
      'profiles are not looked at',
      'src/fhir/validation/strict.ts',
      ', ...loaded.profiles.validate(resource, profiles, root)',
      '',
    ],
    [
      'malformed-json-is-500',
      'what is no JSON is an error of the server',
      'src/fhir/json/parse.ts',
      'const kept = scanJson(bytes,',
      'JSON.parse(decodeUtf8(bytes));\n  const kept = scanJson(bytes,',
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
    [
      'expand-of-the-unknown',
      'a value set that is not there is an error of another kind',
      TERMINOLOGY,
      "new MedSealError('not-found', 'This server does not have the value set'",
      "new MedSealError('invalid-parameter', 'This server does not have the value set'",
    ],
    [
      'expand-of-a-part',
      'a value set of which only a part is here is expanded',
      'src/fhir/terminology/expansion.ts',
      'if (content?.complete !== true) throw',
      'if (content === undefined) return [];\n  if (content.complete === undefined) throw',
    ],
  ],
);
