import type { PrincipalSettings } from '../repository/permitted.ts';
import type { RequestContext } from '../request-context.ts';

/** Opens something, or does what takes as long, at once unless others should go on first. */
export async function afterOthers<T>({ patience }: RequestContext, work: () => T | Promise<T>): Promise<T> {
  const others = patience?.opening();
  if (others !== undefined) await others;
  return work();
}

/**
 * A statement within the time that the request has left.
 *
 * @throws MedSealError `timed-out`
 */
export function patiently<T>(
  { patience }: RequestContext,
  settings: PrincipalSettings,
  ask: (settings: PrincipalSettings) => Promise<T>,
): Promise<T> {
  if (patience === undefined) return ask(settings);
  return patience.statement((statementTimeout) => ask({ ...settings, statementTimeout }));
}
