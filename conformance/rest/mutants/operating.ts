import { mutantsOf } from './mutant.ts';

const PARAMETERS = 'src/interactions/operations/parameters.ts';
const TABLE_OPERATIONS = 'src/api/table-operations.ts';
const KNOWN_TYPE = 'src/api/known-type.ts';
const META = 'src/interactions/operations/meta.ts';
const EVERYTHING = 'src/interactions/operations/everything.ts';
const LAST_N = 'src/interactions/operations/last-n.ts';

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
    [
      'paths-that-are-none-are-400',
      'a path below a resource that names nothing is told as a wrong parameter',
      'src/interactions/search/target.ts',
      "return new MedSealError('not-supported', message);",
      "return new MedSealError('invalid-parameter', message);",
      ['operations', 'search contexts'],
    ],
    [
      'capabilities-without-patch',
      'the CapabilityStatement does not tell of patches',
      'src/interactions/capabilities.ts',
      "'update',\n  'patch',",
      "'update',",
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
    [
      'everything-cursor-ignored',
      '$everything passes over a cursor',
      EVERYTHING,
      "const cursor = parameterOf(parameters, '_cursor');",
      'const cursor = undefined as string | undefined;',
    ],
    [
      'everything-in-pages-of-none',
      '$everything takes a _count of 0',
      EVERYTHING,
      'if (count === undefined) throw invalid(',
      'if (count === undefined) return 0;\n  if (count < 0) throw invalid(',
    ],
    [
      'lastn-of-none',
      '$lastn takes a max of 0',
      LAST_N,
      'if (max === undefined) throw invalid(',
      'if (max === undefined) return 0;\n  if (max < 0) throw invalid(',
    ],
  ],
);
