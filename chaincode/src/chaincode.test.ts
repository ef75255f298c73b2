import assert from 'node:assert/strict';
import { it } from 'node:test';
import { medsealChaincode } from './chaincode.ts';

it('exposes these transactions with these numbers of arguments, and no others', () => {
  const { contracts } = medsealChaincode('1.2.3').metadata;
  const exposed = Object.entries(contracts).flatMap(([contract, { transactions }]) =>
    transactions.map(({ name, parameters }) => `${contract}:${name}/${parameters?.length ?? 0}`),
  );
  assert.deepEqual(exposed.sort(), [
    'anchor:append/1',
    'anchor:carry/1',
    'anchor:genesis/1',
    'anchor:history/4',
    'anchor:list/2',
    'anchor:listErasures/3',
    'anchor:read/2',
    'anchor:readErasure/2',
    'anchor:readInstitution/1',
    'anchor:recordErasure/1',
    'anchor:register/1',
    'anchor:renewEndorsers/2',
    'consent:history/3',
    'consent:list/2',
    'consent:read/1',
    'consent:record/1',
    'org.hyperledger.fabric:GetMetadata/0',
    'release:list/4',
    'release:read/3',
    'release:record/1',
  ]);
});
