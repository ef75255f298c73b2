import { mutantsOf } from './mutant.ts';

const ERRORS = 'src/errors.ts';
const QUERY_ERRORS = 'src/fhir/search/query/errors.ts';
const PARAMETERS = 'src/interactions/operations/parameters.ts';
const GUARDED_READER = 'src/consent/guarded-reader.ts';
const APP = 'src/api/app.ts';
const TARGET = 'src/interactions/search/target.ts';
const QUERY = 'src/fhir/search/query.ts';
const PERMITTED = 'src/repository/permitted.ts';

/** What several parts of the interface share. */
export const GENERAL = mutantsOf(
  [
    'operations',
    '$everything and $lastn',
    'content negotiation and capabilities',
    '_include',
    'search results',
    'searches that are refused',
    'search by reference',
    'delete',
  ],
  [
    [
      'unsupported-is-501',
      'what is not supported is told as 501',
      ERRORS,
      "'search-not-supported': { status: 400,",
      "'search-not-supported': { status: 501,",
      ['$everything and $lastn', 'search modifiers'],
    ],
    [
      'wrong-search-parameters-are-422',
      'a search parameter that makes no sense is told as an invalid resource',
      QUERY_ERRORS,
      "code: ErrorCode = 'invalid-parameter'",
      "code: ErrorCode = 'invalid-resource'",
      [
        'search by date',
        'search by composite',
        'search by quantity',
        '_include',
        'searches that are refused',
        'history',
      ],
    ],
    [
      'wrong-operation-parameters-are-422',
      'a parameter of an operation that makes no sense is told as an invalid resource',
      PARAMETERS,
      "return new MedSealError('invalid-parameter', message, { expression });",
      "return new MedSealError('invalid-resource', message, { expression });",
      ['$everything and $lastn', 'terminology', '$validate'],
    ],
    [
      'not-found-is-403',
      'what is not there is forbidden',
      GUARDED_READER,
      "return new MedSealError('not-found', 'There is no such resource, or",
      "return new MedSealError('forbidden', 'There is no such resource, or",
      ['$everything and $lastn', 'history'],
    ],
    [
      'method-refused-is-400',
      'a method that a path does not take is told as a wrong parameter',
      APP,
      "new MedSealError('method-not-allowed', 'This path",
      "new MedSealError('invalid-parameter', 'This path",
    ],
    [
      'searches-of-any-type',
      'a search of what is no type finds nothing',
      TARGET,
      'if (type !== undefined && !isResourceType(type)) throw noTarget(',
      "if (type === '') throw noTarget(",
      ['operations'],
    ],
    [
      'lenient-by-default',
      'a parameter that is not known is passed over',
      QUERY,
      "if (!context.lenient) throw parameterError(name, 'it is not known', 'unknown-parameter');",
      '',
      ['searches that are refused', '$everything and $lastn'],
    ],
    [
      'deleted-are-found',
      'what is deleted is found',
      PERMITTED,
      "selective ? ['not r.deleted'] :",
      "selective ? ['true'] :",
      ['delete', 'search by reference', '_include', 'search results'],
    ],
  ],
);
