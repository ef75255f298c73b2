import { mutantsOf } from './mutant.ts';

const APP = 'src/api/app.ts';
const PRETTY = 'src/api/pretty.ts';
const COMPRESSION = 'src/api/compression.ts';
const NEGOTIATION = 'src/api/negotiation.ts';
const CORS = 'src/api/cors.ts';
const EXECUTE = 'src/interactions/write/execute.ts';
const REPLAY = 'src/interactions/write/replay.ts';

/** http://hl7.org/fhir/R4/http.html#mime-type, #pretty, RFC 9110 */
export const HTTP = mutantsOf(
  ['HTTP', 'content negotiation and capabilities'],
  [
    [
      'head-not-answered',
      'there is no HEAD',
      APP,
      '    logger: false,\n',
      '    logger: false,\n    exposeHeadRoutes: false,\n',
      ['HTTP'],
    ],
    ['pretty-ignored', '_pretty lays nothing out', APP, "if (pretty !== 'true' ||", "if (pretty !== 'yes' ||"],
    [
      'pretty-through-floats',
      '_pretty changes how numbers are written',
      PRETTY,
      'const parts: string[] = [];',
      'if (json.length > 0) return `$' +
        '{JSON.stringify(JSON.parse(json), undefined, 2)}\\n`;\n  const parts: string[] = [];',
    ],
    ['pretty-always', 'every answer is laid out', APP, "if (pretty !== 'true' ||", "if (pretty === 'false' ||"],
    ['compression-none', 'nothing is compressed', COMPRESSION, 'const MIN_BYTES = 1400;', 'const MIN_BYTES = 1e9;'],
    [
      'compression-of-the-short',
      'what is short is compressed too',
      COMPRESSION,
      'const MIN_BYTES = 1400;',
      'const MIN_BYTES = 14;',
    ],
    [
      'compression-not-asked-for',
      'a coding with a weight of 0 is taken',
      COMPRESSION,
      'weight === undefined ? 1 : Number(weight) || 0',
      '1',
    ],
    [
      'format-ignored',
      '_format is passed over',
      NEGOTIATION,
      'if (formats.length > 0) {',
      'if (formats.length > 99) {',
    ],
    [
      'body-of-any-type',
      'a body is read as JSON whatever it is',
      NEGOTIATION,
      'if (allowed.has(type) && isUtf8',
      "if ((kind === 'json' || allowed.has(type)) && isUtf8",
    ],
    [
      'discovery-for-no-origin',
      'pages cannot read what there is',
      CORS,
      'origin: DISCOVERY.test(url) || origins',
      'origin: origins',
      ['HTTP'],
    ],
  ],
);

/** draft-ietf-httpapi-idempotency-key-header */
export const IDEMPOTENCY = mutantsOf(
  ['Idempotency-Key'],
  [
    [
      'idempotency-not-kept',
      'no answer is kept for a repetition',
      EXECUTE,
      'idempotency: record?.(answer)',
      'idempotency: undefined',
    ],
    [
      'idempotency-ignored',
      'a request that is repeated is done again',
      EXECUTE,
      'const replay = idempotent &&',
      'const replay = undefined &&',
    ],
    [
      'idempotency-key-for-anything',
      'a key that was used answers any request',
      REPLAY,
      'if (stored.requestToken !== requestToken) {',
      "if (stored.requestToken === '') {",
    ],
  ],
);
