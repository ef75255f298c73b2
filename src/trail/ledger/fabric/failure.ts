import { status } from '@grpc/grpc-js';
import { type ErrorDetail, GatewayError } from '@hyperledger/fabric-gateway';
import { parseRefusal } from 'medseal-chaincode/rules';
import { MedSealError } from '../../../errors.ts';
import { LedgerRefusal } from '../port.ts';

/** What an error of the gateway comes to. Most have the code ABORTED: what it was is in the words of the details. */
export type Failure =
  /** The contract, or the chaincode's runtime, answered no. Each answer comes from an organisation's peer. */
  | { readonly kind: 'refused'; readonly by: readonly string[]; readonly message: string }
  /** The endorsers do not come to the same outcome: one of them is behind, or they do not run the same. */
  | { readonly kind: 'disagreed' }
  /** This node's certificate, or its clock, is not accepted: only an operator can help. */
  | { readonly kind: 'denied'; readonly message: string }
  /** The orderers will never take these bytes. */
  | { readonly kind: 'not-ordered'; readonly message: string }
  | { readonly kind: 'unreachable' }
  /** None of the network's: ours. */
  | { readonly kind: 'defect' };

const ANSWERED = /chaincode response [45]\d\d, (.*)/s;
const DENIED = /access denied|client identity expired|incorrect timestamp|failed evaluating policy/;
const NOT_ORDERED = /status=(?:BAD_REQUEST|FORBIDDEN|REQUEST_ENTITY_TOO_LARGE)/;
const MISMATCH = 'ProposalResponsePayloads do not match';

export function failureOf(error: unknown): Failure {
  if (!(error instanceof GatewayError)) return deliveryFailure(error);
  const { details, message, code } = error;
  const answers = details.filter((detail) => ANSWERED.test(detail.message));
  const [answer] = answers;
  if (answer !== undefined) {
    const text = ANSWERED.exec(answer.message)?.[1] ?? '';
    return { kind: 'refused', by: answers.map(({ mspId }) => mspId), message: text };
  }
  if (details.some((detail) => detail.message === MISMATCH)) return { kind: 'disagreed' };
  const denied = [...details.map((detail) => detail.message), message].find((text) => DENIED.test(text));
  if (code === status.PERMISSION_DENIED || denied !== undefined) return { kind: 'denied', message: denied ?? message };
  if (notOrdered(details, message)) return { kind: 'not-ordered', message };
  return { kind: 'unreachable' };
}

/** A stream of blocks that the peer ends tells an HTTP status, in words only. */
function deliveryFailure(error: unknown): Failure {
  const [, code] = /^Unexpected status response: (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
  if (code === undefined) return { kind: 'defect' };
  return code === '403' ? { kind: 'denied', message: 'the peer shows no blocks' } : { kind: 'unreachable' };
}

/** A BFT ordering service is asked as a whole: one of them that says no may be the one that lies. */
function notOrdered(details: readonly ErrorDetail[], message: string): boolean {
  if (NOT_ORDERED.test(message)) return true;
  return details.length > 1 && details.every((detail) => NOT_ORDERED.test(detail.message));
}

/** As the port tells it. */
export function toLedgerError(error: unknown): MedSealError {
  if (error instanceof MedSealError) return error;
  const failure = failureOf(error);
  switch (failure.kind) {
    case 'refused': {
      const refusal = parseRefusal(failure.message);
      const cause = refusal === undefined ? error : new LedgerRefusal(refusal.code, refusal.text);
      return new MedSealError('ledger-rejected', 'The ledger refused the transaction', { cause });
    }
    case 'denied':
      return new MedSealError('ledger-rejected', "The ledger does not accept this node's certificate or clock", {
        cause: error,
      });
    case 'not-ordered':
      return new MedSealError('ledger-rejected', 'The orderers do not take the transaction', { cause: error });
    case 'disagreed':
      return new MedSealError('ledger-unavailable', 'The endorsers do not come to the same result', { cause: error });
    case 'defect':
      return new MedSealError('internal', 'The ledger could not be asked', { cause: error });
    case 'unreachable':
      return new MedSealError('ledger-unavailable', 'The ledger cannot be reached at the moment', { cause: error });
  }
}
