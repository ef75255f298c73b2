import type { PermittedRow, PrincipalSettings } from './permitted.ts';

/**
 * Lets reads by one principal that arrive in the same turn of the event loop, at the same instant, share one statement:
 * settings, round trip and plan cost more than a row.
 */
export interface SharedReads {
  load(principal: PrincipalSettings, idToken: string): Promise<PermittedRow | undefined>;
}

interface Gathering {
  readonly idTokens: Set<string>;
  readonly rows: Promise<ReadonlyMap<string, PermittedRow>>;
}

export function createSharedReads(
  select: (principal: PrincipalSettings, idTokens: readonly string[]) => Promise<readonly PermittedRow[]>,
): SharedReads {
  const gatherings = new Map<string, Gathering>();

  function gather(key: string, principal: PrincipalSettings): Gathering {
    const idTokens = new Set<string>();
    const rows = new Promise(setImmediate).then(async () => {
      gatherings.delete(key);
      const found = await select(principal, [...idTokens]);
      return new Map(found.map((row) => [row.idToken, row]));
    });
    const gathering = { idTokens, rows };
    gatherings.set(key, gathering);
    return gathering;
  }

  return {
    async load(principal, idToken) {
      const key = JSON.stringify(principal);
      const { idTokens, rows } = gatherings.get(key) ?? gather(key, principal);
      idTokens.add(idToken);
      return (await rows).get(idToken);
    },
  };
}
