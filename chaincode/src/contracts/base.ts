import { Contract } from 'fabric-contract-api';
import { type Caller, checkWriter } from '../rules/caller.ts';
import { ContractRefusal } from '../rules/refusal.ts';
import { type Clock, type ContractContext, callerOf } from './context.ts';

/**
 * What our contracts share. fabric-contract-api calls every method of a contract's own prototype whose name does not
 * begin with an underscore, and counts its declared parameters: so there are no helpers among them and no defaults.
 */
export abstract class MedSealContract extends Contract {
  readonly _clock: Clock;

  constructor(name: string, clock: Clock) {
    super(name);
    this._clock = clock;
  }

  override async unknownTransaction(): Promise<void> {
    throw new ContractRefusal('unknown-transaction', `${this.getName()} has no such transaction`);
  }

  /** Who calls a writing transaction, if they may. */
  _writer(ctx: ContractContext): Caller {
    const caller = callerOf(ctx);
    checkWriter(caller, this._clock());
    return caller;
  }
}
