import type { CodeSystemContent, Terminology, ValueSetContent } from './expansion.ts';

/** Code systems and value sets that come with the server, by URL without version. */
export interface PackagedTerminology extends Terminology {
  valueSet(url: string): ValueSetContent | undefined;
}

interface Table {
  readonly codeSystems: Readonly<Record<string, CodeSystemContent>>;
  readonly valueSets: Readonly<Record<string, ValueSetContent>>;
}

/** Two megabytes that few servers are ever asked for; the module loader keeps them from then on. */
const TABLE = new URL('../definitions/r4-terminology.json', import.meta.url);

/** HL7's code systems and value sets of R4, and beside them those of `guide`. */
export async function packagedTerminology(guide: PackagedTerminology): Promise<PackagedTerminology> {
  const { default: table } = (await import(TABLE.href, { with: { type: 'json' } })) as { readonly default: Table };
  const of = <T>(rows: Readonly<Record<string, T>>, url: string) => (Object.hasOwn(rows, url) ? rows[url] : undefined);
  return {
    codeSystem: (url) => of(table.codeSystems, url) ?? guide.codeSystem(url),
    valueSet: (url) => of(table.valueSets, url) ?? guide.valueSet(url),
  };
}
