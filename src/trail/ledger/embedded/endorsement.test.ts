import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TestLedger, testLedger } from '../../../../conformance/ports/ledger-embedded.ts';
import {
  call,
  consentRequest,
  extension,
  newInstitution,
  run,
  startedLog,
  treeHead,
} from '../../../../conformance/ports/ledger-fixtures.ts';
import { MedSealError } from '../../../errors.ts';
import { canonicalJson } from '../../../fhir/json/canonical.ts';
import type { ContractCall } from '../port.ts';
import { type ContractClass, contractHost, loadContracts } from './contracts.ts';
import { endorse, propose } from './endorse.ts';
import { generateLedgerIdentities } from './identities.ts';
import { privateKey } from './signatures.ts';
import { stateReader } from './state-reader.ts';

/** A transaction that only these organisations endorse: what somebody gets who leaves the others out. */
async function endorsedBy(
  who: readonly string[],
  what: ContractCall,
  { database, identities }: Pick<TestLedger, 'database' | 'identities'>,
): Promise<Uint8Array> {
  const contracts = contractHost(await loadContracts(), Date.now);
  const endorsers = identities.organisations
    .filter(({ mspId }) => who.includes(mspId))
    .map((organisation) => ({ mspId: organisation.mspId, key: privateKey(organisation), contracts }));
  const { client } = identities;
  const proposal = propose(what, client.credential, Date.now());
  const envelope = await endorse(proposal, privateKey(client), endorsers, stateReader(database));
  return Buffer.from(canonicalJson(envelope));
}

const rejected = (error: unknown) => error instanceof MedSealError && error.code === 'ledger-rejected';

describe('endorsement in the embedded ledger', () => {
  it('of a log takes its owner and any other', async (test) => {
    const setting = await testLedger(test);
    const institution = await startedLog(setting.ledger, 3);
    const append = call('anchor', 'append', await extension(institution, 3, 5));
    for (const [who, status] of [
      [['AMSP'], 'ENDORSEMENT_POLICY_FAILURE'],
      [['BMSP', 'CMSP'], 'ENDORSEMENT_POLICY_FAILURE'],
      [['AMSP', 'CMSP'], 'VALID'],
    ] as const) {
      const committed = await setting.ledger.submit(await endorsedBy(who, append, setting));
      assert.equal(committed.status, status, who.join());
    }
  });

  it('of what is new takes the majority', async (test) => {
    const setting = await testLedger(test);
    const institution = await startedLog(setting.ledger);
    for (const [who, status] of [
      [['CMSP'], 'ENDORSEMENT_POLICY_FAILURE'],
      [['BMSP', 'CMSP'], 'VALID'],
    ] as const) {
      const consent = call('consent', 'record', consentRequest(institution));
      const committed = await setting.ledger.submit(await endorsedBy(who, consent, setting));
      assert.equal(committed.status, status, who.join());
    }
  });

  it('follows the endorsers that an institution registers', async (test) => {
    const setting = await testLedger(test);
    const { ledger } = setting;
    const institution = newInstitution();
    await run(ledger, call('anchor', 'register', { institution, endorsers: ['BMSP'] }));
    await run(ledger, call('anchor', 'genesis', treeHead(institution, 3)));
    const append = async () => {
      const what = call('anchor', 'append', await extension(institution, 3, 5));
      return (await ledger.submit(await endorsedBy(['AMSP', 'CMSP'], what, setting))).status;
    };
    assert.equal(await append(), 'ENDORSEMENT_POLICY_FAILURE');
    await run(ledger, call('anchor', 'register', { institution, endorsers: ['BMSP', 'CMSP'] }));
    assert.equal(await append(), 'ENDORSEMENT_POLICY_FAILURE');
    await run(ledger, call('anchor', 'renewEndorsers', institution, 'records'));
    assert.equal(await append(), 'VALID');
  });

  it('is refused when the organisations come to different results', async (test) => {
    let runs = 0;
    class Unsteady {
      getName = () => 'anchor';
      createContext = () => ({});
      beforeTransaction = async () => undefined;
      afterTransaction = async () => undefined;
      unknownTransaction = async () => undefined;
      aroundTransaction = async () => {
        runs += 1;
        return String(runs);
      };
      count(_context: object): number {
        return runs;
      }
    }
    const { open } = await testLedger(test);
    const ledger = await open({ contracts: [Unsteady as unknown as ContractClass] });
    await assert.rejects(ledger.prepare(call('anchor', 'count')), rejected);
    assert.equal(runs, 3);
  });

  it('by keys of another ledger counts for nothing', async (test) => {
    const { ledger, database, identities } = await testLedger(test);
    const institution = await startedLog(ledger, 3);
    const append = call('anchor', 'append', await extension(institution, 3, 5));
    const foreign = generateLedgerIdentities(['AMSP', 'BMSP', 'CMSP']);
    const elsewhere = await endorsedBy(['AMSP', 'BMSP'], append, { database, identities: foreign });
    await assert.rejects(ledger.submit(elsewhere), rejected);
    const pretending = { ...foreign.client.credential, channel: identities.channel };
    const impostor = { ...foreign, client: { ...foreign.client, credential: pretending } };
    const bytes = await endorsedBy(['AMSP', 'BMSP'], append, { database, identities: impostor });
    await assert.rejects(ledger.submit(bytes), rejected);
    const mixed = { ...foreign, client: identities.client };
    const { status } = await ledger.submit(await endorsedBy(['AMSP', 'BMSP'], append, { database, identities: mixed }));
    assert.equal(status, 'ENDORSEMENT_POLICY_FAILURE');
  });
});
