/** An endorsement rule over organisations, as Fabric's SignaturePolicy expresses it. */
export type EndorsementRule =
  | { readonly signedBy: string }
  | { readonly outOf: readonly EndorsementRule[]; readonly atLeast: number };

/**
 * The owner and any one of the others: nobody can write the owner's state without it, and it cannot alone. Endorsers
 * that run altered chaincode thus need the owner's help, and the owner needs an accomplice.
 */
export function ownerAndAnyOther(owner: string, others: readonly string[]): EndorsementRule {
  const other = { outOf: others.map((mspId) => ({ signedBy: mspId })), atLeast: 1 };
  return { outOf: [{ signedBy: owner }, other], atLeast: 2 };
}

/** Fabric's default for a whole chaincode: more than half of the channel's organisations. */
export function majority(organisations: readonly string[]): EndorsementRule {
  const atLeast = Math.floor(organisations.length / 2) + 1;
  return { outOf: organisations.map((mspId) => ({ signedBy: mspId })), atLeast };
}

/** Whether these organisations' signatures satisfy the rule. */
export function isEndorsed(rule: EndorsementRule, signers: ReadonlySet<string>): boolean {
  if ('signedBy' in rule) return signers.has(rule.signedBy);
  return rule.outOf.filter((inner) => isEndorsed(inner, signers)).length >= rule.atLeast;
}
