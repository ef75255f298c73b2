/** One member of the consortium. Its certificates are in `config/crypto-config.yaml`, its policies in `config/configtx.yaml`. */
export interface Organisation {
  /** As in the names of nodes and folders. */
  readonly name: string;
  readonly domain: string;
  /** Of its peer and its clients. */
  readonly mspId: string;
  /** Of its orderer. */
  readonly ordererMspId: string;
}

/** The forms in which the network runs: profiles of `config/configtx.yaml`. */
export type Variant = 'bft' | 'raft';

export interface Membership {
  readonly organisations: readonly Organisation[];
  /** Those that run an orderer; the first is the first leader. */
  readonly orderers: readonly Organisation[];
  /** How many orderers must have signed a block: 2f+1 of 3f+1, where f may lie; of Raft one, which all trust. */
  readonly quorum: number;
}

export const CHANNEL = 'medseal';
export const CHAINCODE = 'medseal';

const HOSPITAL_A = organisation('hospital-a', 'HospitalA');
const RESEARCH_INSTITUTE = organisation('research-institute', 'ResearchInstitute');
const CONSORTIUM = [
  HOSPITAL_A,
  organisation('hospital-b', 'HospitalB'),
  RESEARCH_INSTITUTE,
  organisation('health-authority', 'HealthAuthority'),
];

export const VARIANTS: Readonly<Record<Variant, Membership>> = {
  bft: { organisations: CONSORTIUM, orderers: CONSORTIUM, quorum: 3 },
  raft: { organisations: [HOSPITAL_A, RESEARCH_INSTITUTE], orderers: [HOSPITAL_A], quorum: 1 },
};

function organisation(name: string, id: string): Organisation {
  return { name, domain: `${name}.example`, mspId: `${id}MSP`, ordererMspId: `${id}OrdererMSP` };
}
