import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { refusalOf } from '../port.ts';
import { failureOf, toLedgerError } from './failure.ts';

function gatewayError(
  code: number,
  message: string,
  ...details: readonly (readonly [mspId: string, message: string])[]
) {
  return new GatewayError({
    code,
    message,
    cause: new Error(message) as ServiceError,
    details: details.map(([mspId, text]) => ({ address: 'peer:7051', mspId, message: text })),
  });
}

/** The gateway's errors as a real network gives them, and what each comes to. */
const ERRORS: readonly (readonly [what: string, error: Error, kind: string, code: string])[] = [
  [
    'the contract refuses',
    gatewayError(status.ABORTED, '10 ABORTED', ['AMSP', 'chaincode response 500, MEDSEAL/anchor-exists: there is one']),
    'refused',
    'ledger-rejected',
  ],
  [
    'the endorsers disagree',
    gatewayError(status.ABORTED, '10 ABORTED', ['BMSP', 'ProposalResponsePayloads do not match']),
    'disagreed',
    'ledger-unavailable',
  ],
  [
    'no peer of the other organisation',
    gatewayError(status.UNAVAILABLE, 'failed to select a set of endorsers that satisfy the endorsement policy'),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'the own chaincode is down',
    gatewayError(status.ABORTED, '10 ABORTED', ['AMSP', 'error in simulation: could not launch chaincode medseal:1']),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'the gateway’s peer is down',
    gatewayError(status.UNAVAILABLE, 'No connection established'),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'no orderer takes it',
    gatewayError(status.UNAVAILABLE, 'no orderers could successfully process transaction'),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'a status did not come in time',
    gatewayError(status.CANCELLED, 'context deadline exceeded'),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'it took too long',
    gatewayError(status.DEADLINE_EXCEEDED, 'deadline exceeded'),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'the certificate is not accepted',
    gatewayError(status.ABORTED, '10 ABORTED', ['AMSP', 'error validating proposal: access denied: channel [medseal]']),
    'denied',
    'ledger-rejected',
  ],
  [
    'one orderer of four says no',
    gatewayError(status.ABORTED, 'no', ['A', 'status=FORBIDDEN'], ['B', 'connection refused']),
    'unreachable',
    'ledger-unavailable',
  ],
  [
    'every orderer says no',
    gatewayError(status.ABORTED, 'no', ['A', 'status=FORBIDDEN'], ['B', 'status=BAD_REQUEST']),
    'not-ordered',
    'ledger-rejected',
  ],
  ['a stream of blocks is closed to us', new Error('Unexpected status response: 403'), 'denied', 'ledger-rejected'],
  ['a stream of blocks ends', new Error('Unexpected status response: 503'), 'unreachable', 'ledger-unavailable'],
  ['a defect of ours', new TypeError('x is not a function'), 'defect', 'internal'],
];

for (const [what, error, kind, code] of ERRORS) {
  test(`${what}: ${kind}`, () => {
    assert.equal(failureOf(error).kind, kind);
    const told = toLedgerError(error);
    assert.equal(told.code, code);
    assert.ok(told.cause !== undefined, 'the cause is kept');
  });
}

test('a refusal keeps the contract’s code, and tells who refused', () => {
  const message = 'chaincode response 500, MEDSEAL/anchor-inconsistent: not the same log';
  const error = gatewayError(status.ABORTED, 'no', ['AMSP', message], ['BMSP', message]);
  assert.equal(refusalOf(toLedgerError(error)), 'anchor-inconsistent');
  const failure = failureOf(error);
  assert.deepEqual(failure.kind === 'refused' && failure.by, ['AMSP', 'BMSP']);
});

test('what is one of ours already stays as it is', () => {
  const own = toLedgerError(new Error('Unexpected status response: 503'));
  assert.equal(toLedgerError(own), own);
});
