/** schemathesis over src/api/openapi.json, against a server of its own: never a 5xx, never what the document does not say. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { connect } from '../../src/cli/connection.ts';
import { accessToken } from '../../src/cli/token.ts';
import { finished, succeeded } from '../clients/driven.ts';
import { fhirClient } from '../support/fhir-client.ts';
import { skippedWithout } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode } from '../support/test-node.ts';
import { until } from '../support/until.ts';
import { type Expected, tallies, tallyTable, unseen } from './answers.ts';

const PYTHON = join(import.meta.dirname, 'python');
const DOCUMENT = join(import.meta.dirname, '../../src/api/openapi.json');

/** 5xx; a status, a content type or a body that the document does not have. */
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
/** They read and write the operator's own files. */
const LEFT_OUT = /^\/admin\/(backup|rebuild|scrub)$/;
const OPTIONS = [
  ...['--checks', CHECKS, '--phases', 'coverage,fuzzing', '--exclude-path-regex', LEFT_OUT.source, '--workers', '1'],
  ...['--request-timeout', '60', '--generation-database', 'none', '--continue-on-failure', '--no-shrink'],
];
/** A token lasts five minutes. */
const RENEW_MS = 120_000;

/** What the cases are led to, each under the id `known`. */
const RECORDS = JSON.parse(readFileSync(join(PYTHON, 'records.json'), 'utf8')) as readonly {
  readonly resourceType: string;
}[];
/** By the names that aims.py has for them. */
const CLIENTS = {
  institution: 'hospital-a',
  practitioner: 'practitioner:known',
  patient: 'patient:known',
  operator: 'operator',
} as const;

/** Of each operation some case must have been answered as asked, and some refused. */
function expectations(): readonly Expected[] {
  interface Operation {
    readonly operationId: string;
    readonly parameters?: readonly object[];
    readonly requestBody?: object;
  }
  const { paths } = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  return Object.entries(paths)
    .filter(([path]) => !LEFT_OUT.test(path))
    .flatMap(([, methods]) => Object.values(methods))
    .map(({ operationId: operation, parameters = [], requestBody }) => {
      // Nothing is read over all bases; what has no parameters has nothing to refuse but who asks.
      const good = operation === 'unionRead' ? [] : (['2xx'] as const);
      const refused = parameters.length === 0 && requestBody === undefined ? [] : (['4xx'] as const);
      return { operation, classes: [...good, ...refused] };
    });
}

const seed = process.env.MEDSEAL_OPENAPI_SEED ?? '1';
const examples = process.env.MEDSEAL_OPENAPI_EXAMPLES ?? '40';
const skip = skippedWithout('python3');

suite('schemathesis', { skip }, async () => {
  if (skip !== false) return;
  const directory = await temporaryDirectory();
  const python = join(directory, 'venv', 'bin', 'python');
  await succeeded(['python3', '-m', 'venv', join(directory, 'venv')]);
  await succeeded([python, '-m', 'pip', 'install', '--quiet', '--requirement', join(PYTHON, 'requirements.txt')]);
  const node = await startTestNode({ after: (hook) => after(hook as () => Promise<void>) });
  const [tokens, answers] = [join(directory, 'tokens.json'), join(directory, 'answers.jsonl')];
  const renew = async () => {
    const connection = connect(node.dataDirectory);
    const made: Record<string, string> = {};
    for (const [role, client] of Object.entries(CLIENTS)) made[role] = await accessToken(connection, client);
    writeFileSync(`${tokens}.new`, JSON.stringify(made), { mode: 0o600 });
    renameSync(`${tokens}.new`, tokens);
  };

  async function putRecords(): Promise<void> {
    const client = fhirClient(`${node.url}/hospital-a/fhir`, () => node.token('hospital-a'));
    const entry = RECORDS.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/known` },
    }));
    const { status, text } = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
    assert.equal(status, 200, text);
    await until(
      'the evidence is there',
      async () => (await client.get('Patient/known/_history/1/$evidence')).status === 200,
    );
  }

  test(`every operation, seed ${seed}, ${examples} examples each`, async () => {
    await putRecords();
    await renew();
    const renewing = setInterval(renew, RENEW_MS);
    try {
      const run = await finished(
        [
          join(directory, 'venv', 'bin', 'schemathesis'),
          ...['--no-color', 'run', DOCUMENT, '--url', node.url, '--seed', seed, '--max-examples', examples],
          ...OPTIONS,
        ],
        {
          ...{ SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: PYTHON, PYTHONDONTWRITEBYTECODE: '1' },
          ...{ MEDSEAL_TOKENS: tokens, MEDSEAL_ANSWERS: answers },
        },
        directory,
      );
      const all = tallies(readFileSync(answers, 'utf8'));
      process.stdout.write(`seed ${seed}, ${examples} examples each\n${tallyTable(all)}`);
      assert.equal(run.code, 0, run.all);
      assert.deepEqual(unseen(all, expectations()), []);
    } finally {
      clearInterval(renewing);
    }
  });
});
