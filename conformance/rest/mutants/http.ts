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
    [
      'options-without-allow',
      'OPTIONS does not say what a path takes',
      APP,
      "reply.status(204).header('Allow', allow).send()",
      'reply.status(204).send()',
      ['HTTP'],
    ],
    [
      'records-for-any-origin',
      'pages of any origin read records',
      CORS,
      ': ownOrigin(origins, request),',
      ": '*',",
      ['HTTP'],
    ],
    [
      'long-paths-not-found',
      'a path that is too long is not found',
      'src/api/http-result.ts',
      "FST_ERR_MAX_PARAM_LENGTH: ['uri-too-long'",
      "FST_ERR_MAX_PARAM_LENGTH: ['not-found'",
      ['content negotiation and capabilities'],
    ],
    [
      'types-may-be-guessed',
      'browsers may guess at the type of an answer',
      'src/api/http-result.ts',
      ".header('X-Content-Type-Options', 'nosniff');",
      ';',
      ['content negotiation and capabilities'],
    ],
    [
      'wrong-tokens-as-none',
      'a wrong token is told as none',
      'src/auth/authenticate.ts',
      "throw new MedSealError('token-invalid', 'The access token is not valid, or no longer.');",
      "throw new MedSealError('login-required', 'The access token is not valid, or no longer.');",
      ['content negotiation and capabilities'],
    ],
    [
      'capabilities-without-metadata-url',
      'the CapabilityStatement does not tell where it is',
      'src/interactions/capabilities.ts',
      '`Records of $' + '{institution}`, url }',
      '`Records of $' + '{institution}` }',
      ['content negotiation and capabilities'],
    ],
    [
      'capabilities-promise-too-much',
      'the CapabilityStatement promises parameters that are not answered',
      'src/repository/search-criteria.ts',
      'return ANSWERED_TYPES.has(type) && !NOT_ANSWERED.has(code);',
      "return type !== '';",
      ['content negotiation and capabilities'],
    ],
    [
      'capabilities-promise-modifiers',
      'the CapabilityStatement promises modifiers that are not answered',
      'src/repository/search-criteria.ts',
      "if (code === '_id' || code === '_lastUpdated') return [];",
      "if (code === '_id') return ['exact'];",
      ['content negotiation and capabilities'],
    ],
    [
      'smart-without-key-authentication',
      'the SMART configuration does not tell how clients authenticate',
      'src/auth/smart-configuration.ts',
      "...(signs ? ['client-confidential-asymmetric'] : []),",
      '',
      ['content negotiation and capabilities'],
    ],
    [
      'head-of-searches-refused',
      'HEAD of a search or of nothing is refused',
      APP,
      "app.addHook('onRequest', async (request, reply) => void reply",
      "app.addHook('onRequest', async ({ method, url }) => {\n    if (method === 'HEAD' && !/Patient\\/[0-9a-f-]{36}/.test(url)) throw methodRefusedError();\n  });\n  const methodRefusedError = () => new MedSealError('method-not-allowed', 'No');\n  app.addHook('onRequest', async (request, reply) => void reply",
      ['HTTP'],
    ],
    [
      'accept-ignored',
      'Accept is passed over',
      NEGOTIATION,
      'accept === undefined || accept.split',
      "accept !== '' || accept.split",
      ['content negotiation and capabilities'],
    ],
    [
      'body-of-any-charset',
      'the charset of a body is passed over',
      NEGOTIATION,
      "charset === undefined || charset === 'utf-8' || charset === 'utf8'",
      "charset !== ''",
      ['content negotiation and capabilities'],
    ],
    [
      'methods-without-allow',
      'a method that is not there is told without Allow',
      APP,
      "sendResult(reply.header('Allow', allow), methodRefused(), '')",
      "sendResult(reply, methodRefused(), '')",
      ['content negotiation and capabilities'],
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
    [
      'idempotency-keys-of-any-length',
      'an empty key, or a very long one, is a key',
      'src/api/fhir-input.ts',
      "if (key === '' || key.length > MAX_KEY_LENGTH) {",
      'if (key.length > 9999) {',
    ],
    [
      'idempotency-of-failures',
      'a failure uses the key up',
      EXECUTE,
      '  services.fence.check();\n',
      '  services.fence.check();\n  const USED = ((globalThis as any).used ??= new Map());\n  if (idempotent !== undefined && USED.has(idempotent.key)) throw USED.get(idempotent.key);\n  try {\n    for (const entry of entries) requireValid(services, institution, entry);\n  } catch (error) {\n    if (idempotent !== undefined) USED.set(idempotent.key, error);\n    throw error;\n  }\n',
    ],
    [
      'idempotency-keys-are-shared',
      'the key of one client answers another',
      REPLAY,
      "JSON.stringify(['key', principal.clientId, key])",
      "JSON.stringify(['key', key])",
    ],
    [
      'idempotency-races',
      'the same key at the same time fails',
      EXECUTE,
      "violatesUnique(error, 'idempotency_pkey')",
      "violatesUnique(error, 'none')",
    ],
    [
      'idempotency-of-a-batch-as-one',
      'the entries of a batch share its key',
      'src/interactions/bundle.ts',
      'key: `$' + '{idempotent.key}\\0$' + '{index}`',
      'key: idempotent.key',
    ],
  ],
);
