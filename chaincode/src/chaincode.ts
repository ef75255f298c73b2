import { JSONSerializer } from 'fabric-contract-api';
import ChaincodeFromContract from 'fabric-shim/lib/contract-spi/chaincodefromcontract.js';
import { contracts } from './index.ts';

const TITLE = 'medseal-chaincode';

/** The contracts as the one chaincode that fabric-shim serves. `version` is told by its metadata. */
export function medsealChaincode(version: string): ChaincodeFromContract {
  const serializers = { transaction: 'json', serializers: { json: JSONSerializer } };
  // A copy, because fabric-shim adds its own system contract to the array.
  return new ChaincodeFromContract([...contracts], serializers, {}, TITLE, version);
}
