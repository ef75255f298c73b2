import type { Clock, ContractContext } from 'medseal-chaincode';
import { parseRefusal } from 'medseal-chaincode/rules';
import { MedSealError } from '../../../errors.ts';
import { type ContractCall, LedgerRefusal } from '../port.ts';

/** The contracts as one organisation runs them. */
export interface ContractHost {
  /**
   * @returns the contract's answer
   * @throws MedSealError `ledger-rejected` when the contract throws; errors of the database pass through
   */
  run(call: ContractCall, context: ContractContext): Promise<string>;
}

/** fabric-contract-api's Contract, as whoever runs it has to see it. */
interface RunnableContract {
  getName(): string;
  createContext(): object;
  beforeTransaction(context: object): Promise<void>;
  aroundTransaction(context: object, transaction: string, args: readonly string[]): Promise<unknown>;
  afterTransaction(context: object, result: unknown): Promise<void>;
  unknownTransaction(context: object): Promise<void>;
}

export type ContractClass = new (clock: Clock) => RunnableContract;

/**
 * Loads the contracts. fabric-contract-api installs listeners through which the whole process would survive an uncaught
 * exception or an unhandled rejection with nothing but a line on the console; they are taken off again.
 */
export async function loadContracts(): Promise<readonly ContractClass[]> {
  const before = new Set(failureListeners().map(({ listener }) => listener));
  const { contracts } = await import('medseal-chaincode');
  for (const { event, listener } of failureListeners()) {
    if (!before.has(listener)) process.off(event, listener);
  }
  // The types of aroundTransaction take a function where its code takes, and is given, a name.
  return contracts as unknown as readonly ContractClass[];
}

function failureListeners(): { event: string; listener: (...args: unknown[]) => void }[] {
  return ['uncaughtException', 'unhandledRejection'].flatMap((event) =>
    (process as NodeJS.EventEmitter).listeners(event).map((listener) => ({
      event,
      listener: listener as (...args: unknown[]) => void,
    })),
  );
}

/** Runs contracts as fabric-shim's ChaincodeFromContract does, without its gRPC, its logger and its process. */
export function contractHost(classes: readonly ContractClass[], clock: Clock): ContractHost {
  const contracts = new Map(classes.map((Contract) => new Contract(clock)).map((each) => [each.getName(), each]));
  return {
    async run({ contract, transaction, args }, { stub, clientIdentity }) {
      const instance = contracts.get(contract);
      if (instance === undefined) throw new MedSealError('ledger-rejected', 'There is no such contract');
      const context = Object.assign(instance.createContext(), { stub, clientIdentity });
      try {
        const parameters = parameterCount(instance, transaction);
        if (parameters === undefined) await instance.unknownTransaction(context);
        if (parameters !== args.length) throw new Error(`Expected ${parameters} parameters, got ${args.length}`);
        await instance.beforeTransaction(context);
        const result = await instance.aroundTransaction(context, transaction, args);
        await instance.afterTransaction(context, result);
        return String(result);
      } catch (error) {
        throw error instanceof MedSealError ? error : rejection(error);
      }
    },
  };
}

/** How many arguments a transaction takes beside the context; undefined when the contract has none of this name. */
function parameterCount(contract: RunnableContract, transaction: string): number | undefined {
  const methods = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(contract));
  const method: unknown = Object.hasOwn(methods, transaction) ? methods[transaction]?.value : undefined;
  const callable = typeof method === 'function' && transaction !== 'constructor' && !transaction.startsWith('_');
  return callable ? method.length - 1 : undefined;
}

function rejection(error: unknown): MedSealError {
  const refusal = error instanceof Error ? parseRefusal(error.message) : undefined;
  if (refusal === undefined) {
    return new MedSealError('ledger-rejected', 'The contract failed', { cause: error });
  }
  const cause = new LedgerRefusal(refusal.code, refusal.text);
  return new MedSealError('ledger-rejected', `The contract refused: ${refusal.text}`, { cause });
}
