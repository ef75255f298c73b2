import { mutantsOf } from './mutant.ts';

const HTTP_RESULT = 'src/api/http-result.ts';
const READ = 'src/interactions/read.ts';
const PLAN = 'src/interactions/write/plan.ts';
const CONDITIONS = 'src/interactions/conditions.ts';
const EXECUTE = 'src/interactions/write/execute.ts';
const SINGLE = 'src/interactions/write/single.ts';
const MATCH = 'src/interactions/write/match.ts';
const PARSE = 'src/fhir/json/parse.ts';
const SERVER_OWNED = 'src/consent/server-owned.ts';

/** Create, read, update and delete, with and without conditions. */
export const WRITING = mutantsOf(
  ['conditional reads and writes', 'delete', 'patch'],
  [
    [
      'etag-off-by-one',
      'the ETag is that of the next version',
      HTTP_RESULT,
      "if (result.version !== undefined) reply.header('ETag', `W/\"$" + '{result.version}',
      "if (result.version !== undefined) reply.header('ETag', `W/\"$" + '{result.version + 1}',
    ],
    [
      'no-location-on-create',
      'a create tells no Location',
      HTTP_RESULT,
      'if (result.location !== undefined && result.status !== 304) {',
      'if (result.location !== undefined && result.status === 304) {',
    ],
    [
      'no-last-modified',
      'nothing is told of when a version was made',
      HTTP_RESULT,
      "if (result.lastModified !== undefined) reply.header('Last-Modified'",
      "if (result.lastModified === 'never') reply.header('Last-Modified'",
    ],
    [
      'answers-may-be-cached',
      'records may be kept by caches',
      HTTP_RESULT,
      "reply.status(result.status).header('Cache-Control', 'no-store')",
      "reply.status(result.status).header('Cache-Control', 'max-age=60')",
    ],
    [
      'if-none-match-ignored',
      'a read with If-None-Match always brings the resource',
      READ,
      'if (noneMatch.length > 0) return noneMatch.includes(version);',
      'if (noneMatch.length > 0) return false;',
    ],
    [
      'if-modified-since-ignored',
      'a read with If-Modified-Since always brings the resource',
      READ,
      'return modifiedSince !== undefined &&',
      'return modifiedSince === 0 &&',
    ],
    [
      'version-ids-are-any-number',
      '0 and 01 are versions, and pages may have no entry',
      READ,
      '/^[1-9][0-9]{0,8}$/',
      '/^[0-9]{1,9}$/',
    ],
    [
      'if-match-ignored',
      'If-Match on an update or a delete is not looked at',
      PLAN,
      'if (ifMatch !== undefined && !versionMatches(',
      'if (ifMatch?.length === 0 && !versionMatches(',
    ],
    [
      'if-match-star-creates',
      'If-Match: * lets through what does not exist',
      PLAN,
      "version !== undefined && (wanted === '*' || wanted.includes(version))",
      "wanted === '*' || (version !== undefined && wanted.includes(version))",
    ],
    [
      'if-match-takes-the-first-tag',
      'of several entity tags only the first is looked at',
      CONDITIONS,
      "return tags.map((tag) => parseVersion(tag ?? '') ?? 0);",
      "return tags.slice(0, 1).map((tag) => parseVersion(tag ?? '') ?? 0);",
    ],
    [
      'if-match-needs-weak-tags',
      'a strong entity tag is taken for no tag',
      CONDITIONS,
      '/^(?:W\\/)?"?',
      '/^(?:W\\/)"?',
    ],
    [
      'if-none-match-star-ignored',
      'If-None-Match: * on an update does not keep it from updating',
      PLAN,
      'if (onlyCreate && present) throw',
      'if (onlyCreate && state?.version === 0) throw',
    ],
    [
      'concurrent-updates-fail',
      'whoever loses a race gets 409 instead of being tried again',
      EXECUTE,
      'if (!conflict || attempt === MAX_ATTEMPTS) throw error;',
      'throw error;',
    ],
    [
      'unchanged-update-makes-a-version',
      'an update that changes nothing makes a version',
      PLAN,
      'if (state !== undefined && services.writer.isRepeated(',
      'if (state?.version === 0 && services.writer.isRepeated(',
    ],
    [
      'delete-of-nothing-is-404',
      'deleting what is not there is an error',
      SINGLE,
      "if (outcome.kind === 'absent')\n",
      "if (outcome.kind === 'absent') return { status: 404 };\n  if (outcome.kind === ('never' as string))\n",
      ['delete'],
    ],
    [
      'condition-of-nothing',
      'a condition without a search parameter is met by anything',
      MATCH,
      'if (criteria.length === 0) {',
      'if (criteria.length < 0) {',
    ],
    [
      'type-of-the-body-ignored',
      'a resource of another type than the URL says is stored',
      'src/interactions/write/patches.ts',
      'if (entry.resource?.resourceType !== entry.type) {',
      'if (entry.resource === undefined) {',
      ['patch'],
    ],
    [
      'meta-of-the-client-dropped',
      'tags, profiles and the source of meta are lost',
      SERVER_OWNED,
      'return { resourceType, id, meta: kept, ...rest } as Resource;',
      'return { resourceType, id, meta: { ...kept, profile: undefined, source: undefined }, ...rest } as Resource;',
      ['conditional reads and writes'],
    ],
    [
      'if-none-exist-ignored',
      'a conditional create always creates',
      PLAN,
      'if (existing !== undefined) return { entry, id: existing.id, existing };',
      '',
      ['conditional reads and writes'],
    ],
    [
      'conditional-update-gives-a-new-id',
      'a conditional update without a match passes over the id in the body',
      PLAN,
      'id: match?.id ?? given ?? entry.newId',
      'id: match?.id ?? entry.newId',
      ['conditional reads and writes'],
    ],
    [
      'first-of-several-matches',
      'a condition that several resources meet takes the first',
      MATCH,
      'if (another === undefined) return only;',
      'return only;',
    ],
    [
      'condition-passes-over-unknown-parameters',
      'what a condition asks and the server does not know is passed over',
      MATCH,
      "{ handling: 'strict', now: undefined }",
      "{ handling: 'lenient', now: undefined }",
    ],
    [
      'prefer-outcome-ignored-on-delete',
      'return=OperationOutcome on a delete brings nothing',
      SINGLE,
      "const told = prefer === 'OperationOutcome' ? { status: 200, body: DELETED } : { status: 204 };",
      'const told = { status: 204 };',
      ['delete'],
    ],
    [
      'deleted-is-404',
      'what was deleted answers as what never was',
      'src/consent/guarded-reader.ts',
      "throw new MedSealError('gone', 'The resource was deleted')",
      "throw new MedSealError('not-found', 'The resource was deleted')",
      ['delete', 'patch'],
    ],
    [
      'text-in-latin-1',
      'a body is read as Latin, so that what is beyond it comes back as other characters',
      PARSE,
      'parseScanned(decodeUtf8(bytes))',
      "parseScanned(Buffer.from(bytes).toString('latin1'))",
      [],
    ],
    [
      'conditional-update-of-another-id',
      'a conditional update takes a body with the id of another resource',
      PLAN,
      'if (match !== undefined && given !== undefined && given !== match.id) {',
      "if (match?.id === '') {",
      ['conditional reads and writes'],
    ],
    [
      'conditional-update-always-creates',
      'a conditional update never finds what it should update',
      PLAN,
      'return { entry, id: match?.id ?? given',
      'return { entry, id: given',
      ['conditional reads and writes'],
    ],
  ],
);

/** How JSON is read and written back. */
export const CONTENT = mutantsOf(
  ['patch', 'HTTP', 'parts of resources'],
  [
    [
      'decimals-through-floats',
      'decimals lose the form they were written in',
      PARSE,
      'return kept.length === 0 ? value : withWrittenForms(value, kept);',
      'return value;',
    ],
    [
      'contained-resources-dropped',
      'contained resources and extensions of primitives are lost',
      SERVER_OWNED,
      'const { resourceType, id: _id, meta, ...rest } = resource as',
      'const { resourceType, id: _id, meta, contained, _birthDate, ...rest } = resource as any as',
    ],
  ],
);
