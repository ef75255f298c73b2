import { createHmac, type KeyObject } from 'node:crypto';
import { utcText } from '../fhir/fhirpath/temporal.ts';
import type { ConsentLedgerEntry } from '../repository/write.ts';
import { END_OF_YEARS } from './periods.ts';
import type { ConsentPolicy, Provision } from './policy.ts';

/** As many as the contract takes. */
const MOST_GRANTEES = 256;
/** Stand for everyone, and for nobody: the contract takes no empty list. */
const ANYONE = '*';
const NOBODY = '-';

/**
 * What the ledger is told of a version of a Consent: whether it is in force, for whom and how long, under keys that mean
 * nothing without this node's secret.
 */
export function ledgerEntryOf(policy: ConsentPolicy, key: KeyObject): ConsentLedgerEntry {
  const digest = (...parts: readonly string[]): string =>
    createHmac('sha256', key).update(parts.join('\0')).digest('hex');
  const { period, inForce } = policy;
  const permitted = grantees(policy);
  const named = permitted.length === 0 ? [NOBODY] : permitted;
  return {
    active: inForce,
    freshKey: digest('ledger consent', policy.consent, String(policy.version)),
    grantees: [...new Set(named.map((one) => digest('ledger grantee', one)))].sort().slice(0, MOST_GRANTEES),
    from: Number.isFinite(period.from) ? utcText(period.from) : undefined,
    until: period.until < END_OF_YEARS ? utcText(period.until) : undefined,
  };
}

function grantees({ base, provisions }: ConsentPolicy): readonly string[] {
  const visit = ({ effect, actors, nested }: Provision): readonly string[] => [
    ...(effect === 'permit' ? (actors ?? [ANYONE]) : []),
    ...nested.flatMap(visit),
  ];
  return [...(base === 'permit' ? [ANYONE] : []), ...provisions.flatMap(visit)];
}
