/** A guard that is taken out of the sources, and the test that must notice. */
export interface Mutant {
  readonly what: string;
  readonly file: string;
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
  /** The test file, and a test in it that fails. */
  readonly test: string;
  readonly fails: RegExp;
}

const ANCHOR = { file: 'chaincode/src/rules/anchor.ts', test: 'chaincode/src/rules/anchor.test.ts' } as const;
const READER = { file: 'src/consent/guarded-reader.ts', test: 'conformance/consent/second-lock.test.ts' } as const;

/** DESIGN §7: removing either lock, or the consistency check, fails a named test. Each view predicate: view-mutants.ts. */
export const MUTANTS: readonly Mutant[] = [
  {
    what: 'the ledger checks that a log only grows',
    ...ANCHOR,
    from: "  refuseUnless(consistent, 'anchor-inconsistent', 'the tree does not extend the one that is anchored');\n",
    to: '  void consistent;\n',
    fails: /refuse an anchor over a rewritten leaf/,
  },
  {
    what: 'the ledger takes each size once',
    ...ANCHOR,
    from: "  refuseUnless(request.size !== stored.size, 'anchor-same-size', 'this size is anchored already');\n",
    to: '',
    fails: /refuse what does not extend it/,
  },
  {
    what: 'the ledger never goes back',
    ...ANCHOR,
    from: "  refuseUnless(request.size > stored.size, 'anchor-smaller', 'a larger size is anchored already');\n",
    to: '',
    fails: /refuse what does not extend it/,
  },
  {
    what: 'the ledger has one genesis of a log',
    ...ANCHOR,
    from: "  refuseUnless(stored === undefined, 'anchor-exists', 'this log has its genesis already');\n",
    to: '  void stored;\n',
    fails: /start a log once/,
  },
  {
    what: 'the ledger lets the owner alone append',
    ...ANCHOR,
    from: '  checkOwner(stored, caller);\n',
    to: '',
    fails: /refuse what does not extend it/,
  },
  {
    what: 'the first lock: consents decide what the views show',
    file: 'src/storage/migrations/records/0005_views.sql',
    from: '    or not exists (\n      select from unnest(v.patients)',
    to: '    or true or not exists (\n      select from unnest(v.patients)',
    test: 'conformance/consent/lock-mutants.test.ts',
    fails: /as they are: /,
  },
  {
    what: 'the second lock: what was opened is decided again',
    ...READER,
    from: 'if (decision.permit && samePatients(patients, row.patients))',
    to: 'if (decision.permit || samePatients(patients, row.patients))',
    fails: /a permit forged in the database/,
  },
  {
    what: 'the second lock counts where the two disagree',
    ...READER,
    from: '    options.onDisagreement?.();\n',
    to: '',
    fails: /a permit forged in the database/,
  },
];
