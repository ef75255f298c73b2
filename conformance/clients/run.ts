/**
 * `npm run conformance:clients [-- WORD…]`: clients of other people, as their registries have them, against servers of our own: those
 * of JavaScript, which `npm test` drives too, of Python and of Java. What is not in a cache comes from PyPI and Maven Central.
 */
import { join } from 'node:path';
import { runSuites } from '../runner/run-suites.ts';

const files = ['clients.test.ts', 'python.suite.ts', 'java.suite.ts'];
const words = process.argv.slice(2);
const asked = files.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
await runSuites(asked.map((name) => join(import.meta.dirname, name)));
