import { X509Certificate } from 'node:crypto';
import { constant, count, listOf, record, text } from '../embedded/shape.ts';

/**
 * What an offline verifier pins of a consortium's channel. Certificates of the nodes are not among it: those expire and
 * are renewed, their authorities stay.
 */
export interface FabricRoots {
  readonly ledger: 'fabric';
  readonly channel: string;
  /** The chaincode's name on the channel. */
  readonly chaincode: string;
  /** Those whose clients submit and whose peers endorse. */
  readonly organisations: readonly FabricOrganisation[];
  /** Those whose orderers sign blocks. */
  readonly orderers: readonly FabricOrganisation[];
  /** How many of the orderers' organisations must have signed a block: 2f+1 of 3f+1, of which f may lie. */
  readonly quorum: number;
}

export interface FabricOrganisation {
  readonly mspId: string;
  /** The certificates (PEM) of the authorities that issue to its members, root or intermediate. */
  readonly authorities: readonly string[];
}

const organisationShape = record({ mspId: text, authorities: listOf(text) });

export const fabricRootsShape = record({
  ledger: constant('fabric'),
  channel: text,
  chaincode: text,
  organisations: listOf(organisationShape),
  orderers: listOf(organisationShape),
  quorum: count,
});

/** Authorities by MSP id. */
export type Authorities = ReadonlyMap<string, readonly X509Certificate[]>;

export function authoritiesOf(organisations: readonly FabricOrganisation[]): Authorities {
  return new Map(
    organisations.map(({ mspId, authorities }) => [mspId, authorities.map((pem) => new X509Certificate(pem))]),
  );
}
