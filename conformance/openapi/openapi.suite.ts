/** schemathesis over src/api/openapi.json, against a server of its own: never a 5xx, never what the document does not say. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { connect } from '../../src/cli/connection.ts';
import { accessToken } from '../../src/cli/token.ts';
import { finished, succeeded } from '../clients/driven.ts';
import { skippedWithout } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTestNode } from '../support/test-node.ts';

const PYTHON = join(import.meta.dirname, 'python');
const DOCUMENT = join(import.meta.dirname, '../../src/api/openapi.json');

/** 5xx; a status, a content type or a body that the document does not have. */
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
/** They read and write the operator's own files. */
const LEFT_OUT = '^/admin/(backup|rebuild|scrub)$';
const OPTIONS = [
  ...['--checks', CHECKS, '--phases', 'coverage,fuzzing', '--exclude-path-regex', LEFT_OUT, '--workers', '1'],
  ...['--request-timeout', '60', '--generation-database', 'none', '--continue-on-failure', '--no-shrink'],
];
/** A token lasts five minutes. */
const RENEW_MS = 120_000;

/** What the cases are led to. */
const KNOWN = [
  { resourceType: 'Patient' },
  {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    subject: { reference: 'Patient/known' },
  },
  { resourceType: 'ValueSet', status: 'draft', url: 'http://example.org/known' },
] as const;

function entryOf(resource: { readonly resourceType: string }) {
  const url = `${resource.resourceType}/known`;
  return { resource: { ...resource, id: 'known' }, request: { method: 'PUT', url } };
}

const seed = process.env.MEDSEAL_OPENAPI_SEED ?? '1';
const examples = process.env.MEDSEAL_OPENAPI_EXAMPLES ?? '20';
const skip = skippedWithout('python3');

suite('schemathesis', { skip }, async () => {
  if (skip !== false) return;
  const directory = await temporaryDirectory();
  const python = join(directory, 'venv', 'bin', 'python');
  await succeeded(['python3', '-m', 'venv', join(directory, 'venv')]);
  await succeeded([python, '-m', 'pip', 'install', '--quiet', '--requirement', join(PYTHON, 'requirements.txt')]);
  const node = await startTestNode({ after: (hook) => after(hook as () => Promise<void>) });
  const tokens = join(directory, 'tokens.json');
  const renew = async () => {
    const operator = await accessToken(connect(node.dataDirectory), 'operator');
    const institution = await node.token('hospital-a');
    writeFileSync(`${tokens}.new`, JSON.stringify({ institution, operator }), { mode: 0o600 });
    renameSync(`${tokens}.new`, tokens);
  };

  test(`every operation, seed ${seed}, ${examples} examples each`, async () => {
    await renew();
    const { status } = await fetch(`${node.url}/hospital-a/fhir`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await node.token('hospital-a')}`,
        'content-type': 'application/fhir+json',
      },
      body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: KNOWN.map(entryOf) }),
    });
    assert.equal(status, 200);
    const renewing = setInterval(renew, RENEW_MS);
    try {
      const run = await finished(
        [
          join(directory, 'venv', 'bin', 'schemathesis'),
          ...['--no-color', 'run', DOCUMENT, '--url', node.url, '--seed', seed, '--max-examples', examples],
          ...OPTIONS,
        ],
        { SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: PYTHON, PYTHONDONTWRITEBYTECODE: '1', MEDSEAL_TOKENS: tokens },
        directory,
      );
      assert.equal(run.code, 0, run.all);
      const [, cases] = /([\d,]+) generated/.exec(run.all) ?? [];
      assert.ok(Number(cases?.replaceAll(',', '')) > 1000, run.all);
    } finally {
      clearInterval(renewing);
    }
  });
});
