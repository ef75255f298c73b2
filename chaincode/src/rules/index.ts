/** The rules of the ledger as pure functions, for the contracts and for whoever makes or checks what they accept. */
export {
  type Anchor,
  type AppendRequest,
  type CarryRequest,
  type GenesisRequest,
  LOGS,
  type LogName,
  type Predecessor,
} from './anchor.ts';
export { ROLE_ATTRIBUTE, WRITER_ROLE } from './caller.ts';
export { CONSENT_STATUSES, type ConsentRequest, type ConsentState, type ConsentStatus } from './consent.ts';
export { type EndorsementRule, isEndorsed, majority, ownerAndAnyOther } from './endorsement.ts';
export type { Erasure, ErasureRequest } from './erasure.ts';
export type { Institution, InstitutionRequest } from './institution.ts';
export { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle.ts';
export {
  assemble,
  foldRange,
  type NodeId,
  planConsistency,
  planInclusion,
  planRoot,
  type RangePlan,
} from './merkle-proof.ts';
export { ContractRefusal, parseRefusal, type RefusalCode } from './refusal.ts';
export { NO_RELEASE, type Release, type ReleaseRequest, releaseHash } from './release.ts';
