/**
 * Why a contract refuses. Fabric carries nothing but a message from a chaincode to its client, so the code is the
 * message's prefix, `MEDSEAL/<code>: <text>`, and both are stable. A text never repeats an argument.
 */
const REFUSALS = [
  'invalid-argument',
  'unknown-transaction',
  'not-permitted',
  'stale-proposal',
  'not-registered',
  'not-owner',
  'anchor-exists',
  'anchor-missing',
  'anchor-same-size',
  'anchor-smaller',
  'anchor-inconsistent',
  'consent-missing',
  'consent-ended',
  'consent-version',
  'release-not-consented',
  'release-sequence',
  'release-chain',
  'erasure-exists',
] as const;

export type RefusalCode = (typeof REFUSALS)[number];

const SHAPE = /MEDSEAL\/([a-z-]+): ([^\n]*)/;

export class ContractRefusal extends Error {
  override readonly name = 'ContractRefusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, text: string) {
    super(`MEDSEAL/${code}: ${text}`);
    this.code = code;
  }
}

/** Finds a refusal in a message as it comes back from a peer, which may have put words of its own in front. */
export function parseRefusal(message: string): { code: RefusalCode; text: string } | undefined {
  const match = SHAPE.exec(message);
  const code = REFUSALS.find((known) => known === match?.[1]);
  return code === undefined ? undefined : { code, text: match?.[2] ?? '' };
}

/** Refuses with `code` unless `condition` holds. */
export function refuseUnless(condition: boolean, code: RefusalCode, text: string): asserts condition {
  if (!condition) throw new ContractRefusal(code, text);
}
