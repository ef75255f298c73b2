/** The contracts of MedSeal's chaincode, for whoever runs them: a Fabric peer's service or the embedded ledger. */
import { AnchorContract } from './contracts/anchor-contract.ts';
import { ConsentContract } from './contracts/consent-contract.ts';
import { ReleaseContract } from './contracts/release-contract.ts';

export type { Clock, ContractContext, ContractStub, StateIterator } from './contracts/context.ts';
export { AnchorContract, ConsentContract, ReleaseContract };

/** In the form in which fabric-shim takes them. */
export const contracts = [AnchorContract, ConsentContract, ReleaseContract];
