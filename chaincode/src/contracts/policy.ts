import policies from '@hyperledger/fabric-protos/lib/common/policies_pb.js';
import principals from '@hyperledger/fabric-protos/lib/msp/msp_principal_pb.js';
import type { EndorsementRule } from '../rules/endorsement.ts';

/**
 * Endorsement rules as the bytes that `setStateValidationParameter` takes: a SignaturePolicyEnvelope. fabric-shim's
 * KeyEndorsementPolicy can only say "all of these", so the envelope is built from its protobuf messages.
 * https://hyperledger-fabric.readthedocs.io/en/release-2.5/endorsement-policies.html
 */
export function encodePolicy(rule: EndorsementRule): Uint8Array {
  const organisations: string[] = [];
  const envelope = new policies.SignaturePolicyEnvelope();
  envelope.setVersion(0);
  envelope.setRule(encodeRule(rule, organisations));
  envelope.setIdentitiesList(organisations.map(peerOf));
  return envelope.serializeBinary();
}

/** The rule in such bytes. @throws Error when they are not a policy over peers of organisations */
export function decodePolicy(bytes: Uint8Array): EndorsementRule {
  const envelope = policies.SignaturePolicyEnvelope.deserializeBinary(bytes);
  const organisations = envelope.getIdentitiesList().map((identity) => {
    return principals.MSPRole.deserializeBinary(identity.getPrincipal_asU8()).getMspIdentifier();
  });
  return decodeRule(envelope.getRule(), organisations);
}

function encodeRule(rule: EndorsementRule, organisations: string[]): InstanceType<typeof policies.SignaturePolicy> {
  const policy = new policies.SignaturePolicy();
  if ('signedBy' in rule) {
    policy.setSignedBy(organisations.push(rule.signedBy) - 1);
    return policy;
  }
  const outOf = new policies.SignaturePolicy.NOutOf();
  outOf.setN(rule.atLeast);
  outOf.setRulesList(rule.outOf.map((inner) => encodeRule(inner, organisations)));
  policy.setNOutOf(outOf);
  return policy;
}

function decodeRule(
  policy: InstanceType<typeof policies.SignaturePolicy> | undefined,
  organisations: readonly string[],
): EndorsementRule {
  const outOf = policy?.getNOutOf();
  if (outOf !== undefined) {
    return { atLeast: outOf.getN(), outOf: outOf.getRulesList().map((inner) => decodeRule(inner, organisations)) };
  }
  const signedBy = policy?.hasSignedBy() ? organisations[policy.getSignedBy()] : undefined;
  if (signedBy === undefined) throw new Error('the endorsement policy names no organisation');
  return { signedBy };
}

function peerOf(mspId: string): InstanceType<typeof principals.MSPPrincipal> {
  const role = new principals.MSPRole();
  role.setMspIdentifier(mspId);
  role.setRole(principals.MSPRole.MSPRoleType.PEER);
  const principal = new principals.MSPPrincipal();
  principal.setPrincipalClassification(principals.MSPPrincipal.Classification.ROLE);
  principal.setPrincipal(role.serializeBinary());
  return principal;
}
