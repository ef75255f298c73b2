/** `npm run conformance:openapi`: schemathesis, from PyPI, over the document that is the route table. */
import { join } from 'node:path';
import { runSuites } from '../runner/run-suites.ts';

await runSuites([join(import.meta.dirname, 'openapi.suite.ts')], true);
