import { mutantsOf } from './mutant.ts';

const FHIR_OPERATIONS = 'src/api/fhir-operations.ts';
const BUNDLE = 'src/interactions/bundle.ts';
const REFERENCES = 'src/interactions/write/references.ts';
const BUNDLE_STEPS = 'src/interactions/bundle-steps.ts';

/** http://hl7.org/fhir/R4/http.html#transaction */
export const BUNDLING = mutantsOf(
  ['transactions', 'batches', 'transaction rules', 'patch', 'delete'],
  [
    [
      'bundle-prefer-ignored',
      'what is preferred is not heard for Bundles',
      FHIR_OPERATIONS,
      "prefer: input.preferences.return ?? 'minimal',\n        handling",
      "prefer: 'minimal',\n        handling",
      ['transaction rules', 'transactions'],
    ],
    [
      'transaction-not-atomic',
      'a transaction is done as a batch is',
      BUNDLE,
      "type === 'transaction'\n      ? await transaction(",
      "type === 'history'\n      ? await transaction(",
    ],
    [
      'transaction-passes-over-broken-entries',
      'an entry that is not understood is left out of a transaction',
      BUNDLE,
      'if (broken !== undefined) throw broken.error;',
      'if (broken !== undefined && steps.length === 1) throw (broken as any).error;',
    ],
    [
      'urn-references-stay',
      'references to urn:uuid are stored as they are',
      REFERENCES,
      'targets.get(address) ??\n',
      '',
    ],
    [
      'urn-references-to-nothing-stay',
      'a urn:uuid that no entry bears is stored as it is',
      REFERENCES,
      'if (/^urn:(uuid|oid):/i.test(site.text)) {',
      'if (/^urn:(isbn):/i.test(site.text)) {',
    ],
    [
      'conditional-references-stay',
      'conditional references are stored as they are',
      REFERENCES,
      "if (site.text.includes('?') && parseReference(",
      "if (site.text.includes('??') && parseReference(",
    ],
    [
      'conditional-references-to-nothing-stay',
      'a conditional reference that nothing meets is stored as it is',
      REFERENCES,
      "  throw new MedSealError('unresolved-reference', `A conditional",
      "  if (pairs.length > 0) return text;\n  throw new MedSealError('unresolved-reference', `A conditional",
    ],
    [
      'any-bundle-is-a-batch',
      'a Bundle of any type is taken for a batch',
      BUNDLE_STEPS,
      "if (type !== 'transaction' && type !== 'batch')",
      'if (type === undefined)',
      ['transactions'],
    ],
    [
      'batch-all-or-nothing',
      'what is wrong with one entry of a batch, or one read, fails all',
      BUNDLE,
      'if (!(error instanceof MedSealError)) throw error;',
      'throw error;',
      ['transactions', 'batches'],
    ],
    [
      'transaction-needs-a-write',
      'a transaction of reads alone is refused',
      BUNDLE,
      'if (writes.length === 0) return {',
      "if (writes.length === 0) throw invalidBundle('There is nothing to write', 'Bundle.entry');\n  if (writes.length === -1) return {",
      ['transactions'],
    ],
    [
      'conditional-entries-refused',
      'an entry can only update or delete by id',
      BUNDLE_STEPS,
      "if (rest.length !== addressed || (query !== undefined && method === 'POST')) {",
      'if (rest.length !== addressed || query !== undefined) {',
      ['delete'],
    ],
    [
      'bundle-minimal-ignored',
      'resources come back in a Bundle whatever is preferred',
      BUNDLE,
      "const shown = prefer === 'representation' && draft.content",
      'const shown = draft.content',
      ['transaction rules'],
    ],
    [
      'found-and-updated-is-refused',
      'a conditional create may not find what the same transaction updates',
      'src/interactions/write/plan.ts',
      '    if (existing !== undefined) continue;\n',
      '',
      ['transaction rules'],
    ],
    [
      'entries-without-if-match',
      'an entry of a Bundle cannot name the version that it replaces',
      BUNDLE_STEPS,
      "'ifMatch', 'ifNoneExist'] as const",
      "'ifNoneExist'] as const",
      ['transaction rules'],
    ],
  ],
);
