/** fabric-shim's own way from contract classes to a chaincode; its command line uses it, its types leave it out. */
declare module 'fabric-shim/lib/contract-spi/chaincodefromcontract.js' {
  import type { ChaincodeInterface } from 'fabric-shim-api';

  class ChaincodeFromContract implements ChaincodeInterface {
    constructor(
      contracts: unknown[],
      serializers: { transaction: string; serializers: Record<string, unknown> },
      metadata: object,
      title: string,
      version: string,
    );
    readonly metadata: {
      contracts: Record<string, { transactions: { name: string; parameters?: unknown[] }[] }>;
    };
    Init: ChaincodeInterface['Init'];
    Invoke: ChaincodeInterface['Invoke'];
  }
  export = ChaincodeFromContract;
}
