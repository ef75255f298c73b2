import { type KeyObject, randomBytes } from 'node:crypto';
import { MedSealError } from '../../../errors.ts';
import { canonicalJson } from '../../../fhir/json/canonical.ts';
import type { ContractCall } from '../port.ts';
import type { ContractHost } from './contracts.ts';
import {
  type Envelope,
  endorsed,
  PROPOSAL_FORMAT,
  type Proposal,
  type Simulation,
  submitted,
  transactionIdOf,
} from './envelope.ts';
import type { Credential } from './identities.ts';
import { signCanonical } from './signatures.ts';
import type { StateReader } from './state-reader.ts';
import { simulationStub } from './stub.ts';

/** An organisation that endorses: what a peer is on a real network. */
export interface Endorser {
  readonly mspId: string;
  readonly key: KeyObject;
  readonly contracts: ContractHost;
}

/** @param time epoch milliseconds */
export function propose(call: ContractCall, creator: Credential, time: number): Proposal {
  return {
    format: PROPOSAL_FORMAT,
    channel: creator.channel,
    contract: call.contract,
    transaction: call.transaction,
    args: call.args,
    creator,
    nonce: randomBytes(24).toString('hex'),
    time: new Date(time).toISOString(),
  };
}

/** Runs the proposed transaction without any effect. */
export async function simulate(proposal: Proposal, contracts: ContractHost, state: StateReader): Promise<Simulation> {
  const { stub, outcome } = simulationStub(state, transactionIdOf(proposal), proposal.time);
  const call = proposal as Proposal & ContractCall;
  return outcome(await contracts.run(call, { stub, clientIdentity: identityOf(proposal.creator) }));
}

/**
 * Has every organisation simulate and sign.
 *
 * @param creator the key of the proposal's creator
 * @throws MedSealError `ledger-rejected` when the contract refuses, or when they do not come to the same result
 */
export async function endorse(
  proposal: Proposal,
  creator: KeyObject,
  endorsers: readonly Endorser[],
  state: StateReader,
): Promise<Envelope> {
  const transactionId = transactionIdOf(proposal);
  const results: { mspId: string; simulation: Simulation; signature: string }[] = [];
  for (const { mspId, key, contracts } of endorsers) {
    const simulation = await simulate(proposal, contracts, state);
    results.push({ mspId, simulation, signature: signCanonical(key, endorsed(transactionId, simulation)) });
  }
  const [first] = results;
  const agree = new Set(results.map(({ simulation }) => canonicalJson(simulation))).size === 1;
  if (first === undefined || !agree) {
    throw new MedSealError('ledger-rejected', 'The organisations do not come to the same result');
  }
  const endorsements = results.map(({ mspId, signature }) => ({ mspId, signature }));
  const transaction = { proposal, simulation: first.simulation, endorsements };
  return { ...transaction, signature: signCanonical(creator, submitted(transaction)) };
}

/** The part of fabric-shim's ClientIdentity that contracts use. */
function identityOf({ mspId, attributes }: Credential) {
  return {
    getMSPID: () => mspId,
    getAttributeValue: (name: string) => (Object.hasOwn(attributes, name) ? (attributes[name] ?? null) : null),
  };
}
