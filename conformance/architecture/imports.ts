import { importsOf, type Source } from './sources.ts';

/** The stages of a request, from the top (DESIGN §2): each may import those below it. */
const STAGES = ['api', 'auth', 'interactions', 'consent', 'repository', 'trail', 'sealing', 'storage'];
/** Anyone may import these. */
const LEAVES = ['fhir', 'errors.ts', 'config.ts', 'request-context.ts', 'logger.ts', 'faults.ts'];
/** Where processes start: they may import everything. */
const ENTRY_POINTS = ['main.ts', 'serve.ts', 'cli.ts', 'cli', 'demo', 'compose.ts', 'compose'];
/** Small modules beside the composition root, which only it and the entry points import. */
const ROOT_MODULES = ['pino-logger.ts', 'fault-drill.ts', 'version.ts'];

/** What of the contracts' package the server may import, and how. */
const CHAINCODE_VALUES = ['medseal-chaincode/rules', 'medseal-chaincode/policy'];

/** Imports that point up, sideways, or out of where they may: `file imports target: why`. */
export function misdirectedImports(sources: readonly Source[]): readonly string[] {
  return sources
    .filter((source) => !source.isTest)
    .flatMap((source) =>
      importsOf(source).flatMap(({ specifier, path, kind }) => {
        const why = refusal(partOf(source.path), path, specifier, kind);
        return why === undefined ? [] : [`${source.path} imports ${specifier}: ${why}`];
      }),
    );
}

/** Of `src/consent/decide.ts`: `consent`; of `src/errors.ts`: itself; of `chaincode/src/x.ts`: `chaincode`. */
function partOf(path: string): string {
  const [top = '', part = ''] = path.split('/');
  return top === 'src' ? part : top;
}

function refusal(
  from: string,
  path: string | undefined,
  specifier: string,
  kind: 'static' | 'type' | 'dynamic',
): string | undefined {
  if (path === undefined)
    return specifier.startsWith('medseal-chaincode') ? contracts(from, specifier, kind) : undefined;
  const to = partOf(path);
  if (to === from) return undefined;
  if (from === 'chaincode') return 'chaincode/ imports nothing of the server';
  if (!path.startsWith('src/')) return 'src/ imports nothing outside of it';
  if (from === 'portal' || to === 'portal') return 'portal/ is apart from everything';
  if (LEAVES.includes(to) && (from !== 'fhir' || to === 'errors.ts')) return undefined;
  if (ENTRY_POINTS.includes(from)) return undefined;
  if (ROOT_MODULES.includes(from)) return LEAVES.includes(to) ? undefined : 'it stands beside the composition root';
  if (LEAVES.includes(from)) return to === 'errors.ts' ? undefined : 'leaves import nothing but errors.ts';
  const [above, below] = [STAGES.indexOf(from), STAGES.indexOf(to)];
  if (above < 0) return `${from} is no stage that the design knows`;
  return below > above ? undefined : `imports point down: ${STAGES.join(' → ')}`;
}

function contracts(from: string, specifier: string, kind: 'static' | 'type' | 'dynamic'): string | undefined {
  if (from !== 'trail') return 'only trail/ may import of chaincode/';
  if (kind === 'static' && !CHAINCODE_VALUES.includes(specifier)) return 'only its rules and its policy, statically';
  return undefined;
}
