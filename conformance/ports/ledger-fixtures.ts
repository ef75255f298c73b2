import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { leafHash, type RefusalCode } from 'medseal-chaincode/rules';
import { MedSealError } from '../../src/errors.ts';
import { canonicalJson } from '../../src/fhir/json/canonical.ts';
import {
  type CommittedTransaction,
  type ContractCall,
  type Ledger,
  type LedgerProof,
  refusalOf,
} from '../../src/trail/ledger/port.ts';
import { appendLeaves, EMPTY_TREE, rootOf } from '../../src/trail/merkle/append.ts';
import { consistencyProof } from '../../src/trail/merkle/proofs.ts';

/** Of the empty block. */
const MANIFEST = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

export const opaqueKey = () => randomBytes(32).toString('hex');

/** A name that no other test uses, so that a suite can run on a ledger that is shared. */
export const newInstitution = () => `hospital-${randomBytes(6).toString('hex')}`;

const LEAVES = Array.from({ length: 2048 }, (_, number) => leafHash(Buffer.from(`leaf ${number}`)));

/** The tree head over the first `size` leaves of a made-up log. */
export function treeHead(institution: string, size: number) {
  const root = hex(rootOf(appendLeaves(EMPTY_TREE, LEAVES.slice(0, size)).state));
  return { institution, log: 'records' as const, size, root, manifest: MANIFEST };
}

/** The argument of an append from one size of the made-up log to another. */
export async function extension(institution: string, from: number, to: number) {
  const { tiles } = appendLeaves(EMPTY_TREE, LEAVES.slice(0, to));
  const consistency = (await consistencyProof(from, to, async () => tiles)).map(hex);
  return { ...treeHead(institution, to), consistency };
}

export function call(
  contract: ContractCall['contract'],
  transaction: string,
  ...args: (object | string)[]
): ContractCall {
  return { contract, transaction, args: args.map((arg) => (typeof arg === 'string' ? arg : canonicalJson(arg))) };
}

export async function run(ledger: Ledger, what: ContractCall): Promise<CommittedTransaction> {
  return ledger.submit((await ledger.prepare(what)).bytes);
}

/** The proof of a transaction that is on the ledger. */
export async function prove(ledger: Ledger, transactionId: string): Promise<LedgerProof> {
  return ((await ledger.find(transactionId)) ?? assert.fail('it is not on the ledger')).prove();
}

export async function ask(ledger: Ledger, what: ContractCall) {
  return JSON.parse(Buffer.from(await ledger.evaluate(what)).toString('utf8'));
}

/** Expects that the call is refused, by this rule of a contract (undefined: by none). */
export async function refused(by: Ledger, what: ContractCall, code: RefusalCode | undefined): Promise<void> {
  await assert.rejects(by.prepare(what), (error) => {
    assert.ok(error instanceof MedSealError && error.code === 'ledger-rejected', String(error));
    assert.equal(refusalOf(error), code);
    return true;
  });
}

/** A registered institution whose records log has its genesis over `size` leaves. */
export async function startedLog(ledger: Ledger, size = 3): Promise<string> {
  const institution = newInstitution();
  await run(ledger, call('anchor', 'register', { institution, endorsers: [...ledger.membership.others].sort() }));
  await run(ledger, call('anchor', 'genesis', treeHead(institution, size)));
  return institution;
}

/** A consent from an hour ago on, active, for one grantee. */
export function consentRequest(institution: string) {
  return {
    institution,
    consent: opaqueKey(),
    commitment: opaqueKey(),
    grantees: [opaqueKey()],
    status: 'active',
    version: 1,
    start: new Date(Date.now() - 3_600_000).toISOString(),
    end: null,
  };
}
